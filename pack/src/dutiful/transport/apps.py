"""Django's handle on this room."""

from django.apps import AppConfig


class TransportConfig(AppConfig):
    name = "dutiful.transport"
    label = "dutiful_transport"
    default_auto_field = "django.db.models.BigAutoField"
