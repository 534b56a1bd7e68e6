"""`manage.py monitor`: evaluates the alerts every few seconds and sends what is new."""

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dutiful.monitoring import env
from dutiful.monitoring.alerts import channels, copies
from dutiful.monitoring.history import writer
from dutiful.monitoring.link import Link, shared_url
from dutiful.monitoring.monitor.lease import InDatabase, Lead, OnBroker
from dutiful.monitoring.monitor.monitor import Monitor
from dutiful.monitoring.monitor.switch import Switch

logger = logging.getLogger(__name__)


def _link() -> tuple[Callable[[], Any], Callable[[], str]]:
    """A client and a key prefix, both connecting at their first use."""
    link = Link(shared_url())
    return (lambda: link.client), (lambda: link.prefix)


class Command(BaseCommand):
    help = (
        "Watches every queue's promise and alerts where one is broken"
        " (`python -m dutiful docs monitoring`). It goes on without workers, beat, broker and"
        " database."
    )
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            for variable in env.VARIABLES:
                variable.get()
        except env.EnvError as error:
            raise CommandError(str(error)) from None
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        on_broker = bool(shared_url())
        found = channels.configured()
        monitor = Monitor(
            Lead(OnBroker(*_link()) if on_broker else None, InDatabase()),
            found,
            Switch(env.DEAD_MAN_URL.get()),
            [*([copies.OnBroker(*_link())] if on_broker else []), copies.InDatabase()],
        )
        written = writer.start()
        seconds = min(10, max(1, env.MONITOR_SECONDS.get()))
        names = ", ".join(channel.name for channel in found)
        logger.info("the monitor checks every %d s and sends alerts by %s", seconds, names)
        monitor.run(stop, seconds)
        written.set()
