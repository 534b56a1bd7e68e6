"""Registers the checks and, if REPLICA_URLS is set, everything else of this package."""

from django.apps import AppConfig
from django.core.checks import register


class ReplicasConfig(AppConfig):
    name = "dutiful.replicas"
    label = "dutiful_replicas"

    def ready(self) -> None:
        from dutiful.database import replicas
        from dutiful.publishing import hooks
        from dutiful.replicas import checks, guard, position, reading, watch

        register(checks.check_declarations, "tasks")
        register(checks.check_names, "tasks")
        if replicas.REPLICA_URLS.get():
            hooks.stamp, hooks.reading = position.stamp, reading.reading
            guard.connect()
            watch.connect()
