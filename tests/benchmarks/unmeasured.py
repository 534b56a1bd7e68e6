"""Monitoring as Django loads it, with its log line and no counters."""

from monitoring.apps import MonitoringConfig


class Unmeasured(MonitoringConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring import runs

        runs.connect()
