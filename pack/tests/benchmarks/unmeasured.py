"""The monitoring app with its log line of each run, but without its counters."""

from dutiful.monitoring.apps import MonitoringConfig


class Unmeasured(MonitoringConfig):
    name = "dutiful.monitoring"

    def ready(self) -> None:
        from dutiful.monitoring import runs

        runs.connect()
