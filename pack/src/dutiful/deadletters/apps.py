"""Registers this piece of the pack."""

from django.apps import AppConfig


class DeadLettersConfig(AppConfig):
    name = "dutiful.deadletters"
    label = "dutiful_deadletters"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "dead letters"

    def ready(self) -> None:
        from celery import signals

        from dutiful.deadletters import hooks
        from dutiful.task.request import Request

        Request.home = staticmethod(hooks.keep)
        signals.task_success.connect(hooks.succeeded, dispatch_uid="deadletters.succeeded")
