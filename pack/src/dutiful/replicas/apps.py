"""Registers the checks and, if REPLICA_URLS is set, everything else of this package."""

from django.apps import AppConfig
from django.core.checks import register

from dutiful import extras


class ReplicasConfig(AppConfig):
    name = "dutiful.replicas"
    label = "dutiful_replicas"

    def ready(self) -> None:
        from dutiful.database import replicas
        from dutiful.publishing import hooks
        from dutiful.replicas import checks

        register(checks.check_declarations, "tasks")
        register(checks.check_names, "tasks")
        if replicas.REPLICA_URLS.get():
            # Late: these need psycopg, which a project without replicas may lack.
            extras.need("postgres", "REPLICA_URLS")
            from dutiful.replicas import guard, position, reading, watch

            hooks.stamp, hooks.reading = position.stamp, reading.reading
            guard.connect()
            watch.connect()
