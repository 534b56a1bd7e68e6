"""Registers the system checks on idempotent and unique tasks."""

from django.apps import AppConfig
from django.core.checks import register


class IdempotencyConfig(AppConfig):
    name = "dutiful.idempotency"
    label = "dutiful_idempotency"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.idempotency import checks

        register(checks.check_tasks, "tasks")
