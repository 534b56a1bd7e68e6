"""Django's handle on this room."""

import sys

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from monitoring import runs

        runs.connect()
        # Celery's commands load Flower's before our apps; nobody else has it, or needs its guard.
        if "flower.app" in sys.modules:
            from monitoring import flower

            flower.guard()
