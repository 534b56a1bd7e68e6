"""Django's handle on this room."""

from django.apps import AppConfig


class DrillsConfig(AppConfig):
    name = "dutiful.drills"
    label = "dutiful_drills"
    default_auto_field = "django.db.models.BigAutoField"
