"""Registers this piece of the pack."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "tasks.outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tasks import doors
        from tasks.outbox import daemon
        from tasks.outbox.door import OutboxDoor

        doors.door = OutboxDoor()
        daemon.connect()
