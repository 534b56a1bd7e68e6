"""The relay's thread: in every worker's main process and in beat, never in a pool's child."""

import logging
import os
import threading
import time
from typing import Any, Final

from celery import signals
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from dutiful.outbox import state
from dutiful.outbox.options import BATCH
from dutiful.outbox.relay import Relay
from dutiful.transport.redis.publisher import Unavailable

BUSY: Final = 1.0
IDLE: Final = 2.0
"""Seconds between two queries: within CALM seconds after rows were found, and later."""
CALM: Final = 60.0
UNAVAILABLE: Final = 1.0
"""Seconds until a broker that did not answer is asked again."""
NO_DATABASE: Final = 60.0
"""Seconds between queries, at most, while the database does not answer or has no such table."""
PURGE: Final = 3600.0
"""Seconds between two purges of dropped messages."""

logger = logging.getLogger(__name__)
_thread: "Daemon | None" = None


class Daemon(threading.Thread):
    """One process's relay, until `stop()`."""

    def __init__(self, app: Any) -> None:
        super().__init__(name="outbox-relay", daemon=True)
        self._relay = Relay(app)
        self._stopping = threading.Event()
        self._found = self._purged = time.monotonic() - CALM
        self._failing = 0
        self._reported = ""

    def stop(self) -> None:
        """Ends the thread after its batch. Returns at once."""
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(self._turn()):
            pass
        connections.close_all()

    def _turn(self) -> float:
        """Relays what is due. Returns the seconds until the next turn."""
        now = time.monotonic()
        try:
            sent = self._relay.send()
            if now - self._purged > PURGE:
                self._purged = now
                state.purge()
        except Unavailable as error:
            self._report(f"the broker does not take what the outbox keeps: {error}")
            return UNAVAILABLE
        except DatabaseError as error:
            connections.close_all()
            self._failing += 1
            self._report(f"the outbox cannot be read: {error}")
            return float(min(NO_DATABASE, 2.0**self._failing))
        except Exception as error:  # the thread goes on: the next turn may succeed
            if not self._reported:
                logger.exception("the outbox is not relayed")
            self._reported = str(error) or type(error).__name__
            return UNAVAILABLE
        finally:
            close_old_connections()  # to the pool, where threads share one
        self._failing = 0
        if self._reported:
            logger.info("the outbox is relayed again")
            self._reported = ""
        if sent:
            logger.info("%d messages of the outbox were sent", sent)
            self._found = now
        if sent >= BATCH:
            return 0
        return BUSY if now - self._found < CALM else IDLE

    def _report(self, what: str) -> None:
        if not self._reported:
            logger.warning(what)
        self._reported = what


def start(app: Any) -> None:
    """Starts the process's relay, if it has none."""
    global _thread
    if _thread is None:
        _thread = Daemon(app)
        _thread.start()


def stop() -> None:
    if _thread is not None:
        _thread.stop()


def _forget() -> None:
    global _thread
    _thread = None


def connect() -> None:
    """Has Celery's signals start the relay in workers and beat, and stop it with the worker."""
    signals.worker_ready.connect(_start, dispatch_uid="outbox")
    signals.beat_init.connect(_start, dispatch_uid="outbox")
    signals.worker_shutting_down.connect(_stop, dispatch_uid="outbox")
    os.register_at_fork(after_in_child=_forget)


def _start(sender: Any, **_: Any) -> None:
    start(sender.app)


def _stop(**_: Any) -> None:
    stop()
