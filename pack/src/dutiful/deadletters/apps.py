"""Connects dead letters to the worker: a place for those that no broker takes, and replays."""

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

        Request.save_dead_letter = staticmethod(hooks.save_ending)
        signals.task_success.connect(hooks.succeeded, dispatch_uid="deadletters.succeeded")
