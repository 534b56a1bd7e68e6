"""Registers this piece of the pack. Without REPLICA_URLS only its checks."""

from django.apps import AppConfig
from django.core.checks import register


class ReadsConfig(AppConfig):
    name = "tasks.reads"

    def ready(self) -> None:
        from project import replicas
        from tasks import doors
        from tasks.reads import checks, guard, position, reading, watch

        register(checks.check_declarations, "tasks")
        register(checks.check_names, "tasks")
        if replicas.REPLICA_URLS.get():
            doors.stamp, doors.reading = position.stamp, reading.reading
            guard.connect()
            watch.connect()
