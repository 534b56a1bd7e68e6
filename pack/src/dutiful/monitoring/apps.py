"""The Django app of monitoring: registers checks and connects to Celery's signals."""

import sys
from typing import Any

from celery import signals
from django.apps import AppConfig
from django.core.checks import Tags, register

from dutiful import extras

extras.need("monitoring", "dutiful.monitoring")


class MonitoringConfig(AppConfig):
    name = "dutiful.monitoring"
    label = "dutiful_monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.monitoring import checks, fleet, queries, runs, traces
        from dutiful.monitoring.budget.check import check_connections

        register(checks.check_variables, "monitoring")
        register(checks.check_catalogue, "monitoring")
        register(check_connections, Tags.database, deploy=True)
        traces.start()
        queries.connect()
        runs.connect()
        fleet.connect()
        signals.beat_init.connect(_write_history)
        # Celery loads Flower's command before Django's apps; no other process has or needs it.
        if "flower.app" in sys.modules:
            from dutiful.monitoring import flower

            flower.guard()


def _write_history(**_: Any) -> None:
    from dutiful.monitoring.history import writer  # late: it needs the models

    writer.start()
