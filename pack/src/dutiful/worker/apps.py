"""The Django app of the worker: its signal handlers are connected when Django starts."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "dutiful.worker"
    label = "dutiful_worker"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.worker import revoke, tracebacks
        from dutiful.worker.database import connections
        from dutiful.worker.memory.connect import connect as connect_memory

        connect_memory()
        revoke.connect()
        connections.connect()
        tracebacks.install()
