"""Connects what observes this package's tasks. Its checks come with the app (publishing/app.py)."""

from celery import signals
from django.apps import AppConfig


class TaskConfig(AppConfig):
    name = "dutiful.task"
    label = "dutiful_task"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.task import iterate

        signals.task_success.connect(iterate.forget)
