"""Registers the checks on tasks, and a receiver of `task_success`."""

from celery import signals
from django.apps import AppConfig
from django.core.checks import register


class TaskConfig(AppConfig):
    name = "dutiful.task"
    label = "dutiful_task"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.task import checks, iterate

        register(checks.check_declarations, "tasks")
        register(checks.check_aliases, "tasks")
        signals.task_success.connect(iterate.forget)
