"""The Django app of the drills; it provides `manage.py drill`."""

from django.apps import AppConfig


class DrillsConfig(AppConfig):
    """The app `dutiful_drills`. It has no tables."""

    name = "dutiful.drills"
    label = "dutiful_drills"
    default_auto_field = "django.db.models.BigAutoField"
