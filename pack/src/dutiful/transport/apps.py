"""The transport as a Django app: it has the command `manage.py transport`."""

from django.apps import AppConfig


class TransportConfig(AppConfig):
    name = "dutiful.transport"
    label = "dutiful_transport"
    default_auto_field = "django.db.models.BigAutoField"
