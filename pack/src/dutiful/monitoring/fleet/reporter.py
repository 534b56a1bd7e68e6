"""Sends what this process has counted: a daemon thread, every two seconds, one command.

Without the broker it keeps its sums, whose size is bounded, and sends them later. A worker also
uses its thread to note facts with its lease (`every_half_second`).
"""

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, Final

from dutiful.monitoring.fleet import store
from dutiful.monitoring.fleet.pipe import Pipe
from dutiful.monitoring.fleet.tally import Run, Tally
from dutiful.monitoring.link import LOST, TIMEOUT, Link, shared_url

logger = logging.getLogger(__name__)
EVERY_SECONDS: Final = 2.0
READ_SECONDS: Final = 0.5
"""Between two readings of a prefork pool's pipe, which holds that much of a busy pool."""


class Reporter:
    """The reporter of one process. `start()` may be called at any time, and after a fork."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.tally = Tally()
        self.pipe: Pipe | None = None
        self.every_half_second: list[Callable[[], None]] = []
        """Called each half second."""
        self.listeners: list[Callable[[dict[str, float]], None]] = []
        """Called with all numbers before they are sent, for this process's own metrics."""
        self._pid = 0
        self._link: Link | None = None
        self._starting, self._flushing = threading.Lock(), threading.Lock()
        self._ended = threading.Event()
        self._unsent: dict[str, float] = {}
        self._trouble = False

    def count(self, run: Run) -> None:
        """Called from any thread of any process, a prefork pool's children included."""
        if self.pipe is not None and self.pipe.pid != os.getpid():
            self.pipe.write(run)
            return
        self.tally.append(run)
        if self._pid != os.getpid():
            self.start()

    def start(self) -> None:
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._link, self._unsent = None, {}  # the parent's, which still uses them
            threading.Thread(target=self._run, name="fleet-reporter", daemon=True).start()

    def end(self) -> None:
        """Sends what is left, at the end of the process. Waits a second at the most."""
        self._ended.set()
        if self._pid == os.getpid():
            self.flush()

    def _run(self) -> None:
        turns = round(EVERY_SECONDS / READ_SECONDS)
        count = 0
        while not self._ended.wait(READ_SECONDS):
            count += 1
            try:
                for call in self.every_half_second:
                    call()
                if count % turns == 0:
                    self.flush()
                elif self._flushing.acquire(blocking=False):
                    try:
                        self._read_pipe()
                    finally:
                        self._flushing.release()
            except Exception:  # no error may end the counting
                logger.exception("the fleet's counters were not sent; trying again")

    def _read_pipe(self) -> None:
        if self.pipe is not None:
            self.tally.extend(self.pipe.read())

    def flush(self) -> None:
        """Sends all sums in one round trip, if there are any and a Redis. From any thread."""
        if self._flushing.acquire(timeout=TIMEOUT):
            try:
                self._flush()
            finally:
                self._flushing.release()

    def _flush(self) -> None:
        self._read_pipe()
        numbers = self.tally.take()
        for listener in self.listeners:
            listener(numbers)
        url = shared_url()
        if not url:
            return  # there is only RabbitMQ: each worker's own metrics have them
        for name, by in numbers.items():
            self._unsent[name] = self._unsent.get(name, 0) + by
        if not self._unsent:
            return
        if self._link is None:
            self._link = Link(url)
        try:
            store.add(self._link.client, self._link.prefix, self._unsent)
        except LOST as error:
            if not self._trouble:
                logger.info("the fleet's counters will be sent later: %s", error)
            self._trouble = True
            self._link.close()
        else:
            self._unsent, self._trouble = {}, False
