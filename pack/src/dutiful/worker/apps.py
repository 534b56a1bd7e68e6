"""Django's handle on this room."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "dutiful.worker"
    label = "dutiful_worker"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.worker import revoke, tracebacks
        from dutiful.worker.database import connections
        from dutiful.worker.memory import usage

        usage.connect()
        revoke.connect()
        connections.connect()
        tracebacks.lighten()
