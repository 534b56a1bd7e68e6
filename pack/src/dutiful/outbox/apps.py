"""Registers the outbox: enqueues go through it, and workers and beat run a relay."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "dutiful.outbox"
    label = "dutiful_outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dutiful.outbox import daemon
        from dutiful.outbox.publisher import Outbox
        from dutiful.publishing import hooks

        hooks.outbox = Outbox()
        daemon.connect()
