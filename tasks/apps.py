"""Registers the checks of this room."""

from django.apps import AppConfig
from django.core.checks import register


class TasksConfig(AppConfig):
    name = "tasks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tasks import checks

        register(checks.check_declarations, "tasks")
