"""Django's handle on this room."""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from workers import doctor, memory, revoke, task_connections, tracebacks

        doctor.connect()
        memory.connect()
        revoke.connect()
        task_connections.connect()
        tracebacks.lighten()
