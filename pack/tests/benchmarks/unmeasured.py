"""Monitoring as Django loads it, with its log line and no counters."""

from dutiful.monitoring.apps import MonitoringConfig


class Unmeasured(MonitoringConfig):
    name = "monitoring"

    def ready(self) -> None:
        from dutiful.monitoring import runs

        runs.connect()
