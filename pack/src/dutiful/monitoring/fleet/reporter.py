"""Tells the fleet what this process has counted: a daemon thread, every two seconds, one command.

In a worker it also notes with the lease what the worker is busy with. Without the broker it keeps
its sums, which do not grow with what happens, and tells them later.
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
"""Between two readings of a prefork pool's pipe, which holds so much of the busiest."""


class Reporter:
    """Of one process. `start()` may be called at any time, and again after a fork."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.tally = Tally()
        self.pipe: Pipe | None = None
        self.every_half_second: list[Callable[[], None]] = []
        """Called each half second."""
        self.listeners: list[Callable[[dict[str, float]], None]] = []
        """Given all numbers before they are told, for this process's own metrics."""
        self._pid = 0
        self._link: Link | None = None
        self._starting, self._flushing = threading.Lock(), threading.Lock()
        self._ended = threading.Event()
        self._unsent: dict[str, float] = {}
        self._trouble = False

    def count(self, run: Run) -> None:
        """From any thread of any process, a prefork pool's children too."""
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
            self._link, self._unsent = None, {}  # the parent's, who uses it himself
            threading.Thread(target=self._run, name="fleet-reporter", daemon=True).start()

    def end(self) -> None:
        """Tells what is left, once; for the end of the process. Waits a second at the most."""
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
            except Exception:  # whatever it is, it must not end the counting
                logger.exception("the fleet's counters: trying again")

    def _read_pipe(self) -> None:
        if self.pipe is not None:
            self.tally.extend(self.pipe.read())

    def flush(self) -> None:
        """One round trip; nothing where there is nothing, or no Redis. From any thread."""
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
            return  # RabbitMQ alone: each worker's own metrics have them
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
                logger.info("the fleet's counters are told later: %s", error)
            self._trouble = True
            self._link.close()
        else:
            self._unsent, self._trouble = {}, False
