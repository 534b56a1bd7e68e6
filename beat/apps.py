"""Django's handle on this room."""

from django.apps import AppConfig


class BeatConfig(AppConfig):
    name = "beat"
    default_auto_field = "django.db.models.BigAutoField"
