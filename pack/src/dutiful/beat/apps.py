"""Registers the checks on the schedule."""

from django.apps import AppConfig
from django.core.checks import register

from dutiful import extras

extras.need("beat", "dutiful.beat")
extras.need_apps("dutiful.beat", "django_celery_beat", "dutiful.task")


class BeatConfig(AppConfig):
    name = "dutiful.beat"
    label = "dutiful_beat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.beat import checks

        register(checks.check_literals, "beat")
        register(checks.check_schedule, "beat")
        register(checks.check_lease, "beat")
