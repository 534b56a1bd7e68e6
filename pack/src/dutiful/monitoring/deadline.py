"""Calls with a deadline: a server that hangs must not hang the process that asks it.

A thread cannot be stopped. So a call that hangs keeps its thread, and further calls fail at once
until it ends. After a minute the thread is abandoned and the next call gets a new one, since a
network may have lost the old connection for good.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar
from weakref import WeakSet

from django.db import close_old_connections, connections

T = TypeVar("T")
Call = tuple[Callable[[], Any], "Future[Any]"]
ABANDON_AFTER: Final = 60.0
"""Seconds that a call may hang before its thread is abandoned."""
MOST_ABANDONED: Final = 5
"""Threads of one executor that may be abandoned; after that a call that hangs keeps its thread."""
IDLE_SECONDS: Final = 10.0
"""A thread without a call for so long ends, and its database connections with it."""

logger = logging.getLogger(__name__)
_executors: "WeakSet[DeadlineExecutor]" = WeakSet()


class DeadlineExceeded(Exception):
    """The call did not end within its time. The message is one line that names what was asked."""


class DeadlineExecutor:
    """Runs one call at a time in a daemon thread, which starts with the first call.

    `name` says what is asked, in errors: "the database". Database connections are closed after
    each call; with `keeps_connections` the next call reuses them.
    """

    def __init__(self, name: str, *, keeps_connections: bool = False) -> None:
        self.name = name
        self._keeps_connections = keeps_connections
        self._lock = threading.Lock()
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._running: Future[Any] | None = None
        self._started_at = 0.0
        self._abandoned = 0
        _executors.add(self)

    def run(self, call: Callable[[], T], timeout: float) -> T:
        """What `call` returns or raises. Raises DeadlineExceeded after `timeout` seconds, and at
        once where an earlier call hangs.
        """
        return self.result(self.submit(call), timeout)

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Starts the call and returns at once.

        Raises DeadlineExceeded where an earlier call hangs.
        """
        with self._lock:
            if self._running is not None and not self._running.done():
                hung = time.monotonic() - self._started_at
                if hung <= ABANDON_AFTER or self._abandoned >= MOST_ABANDONED:
                    raise DeadlineExceeded(f"{self.name} does not answer (for {hung:.1f} s)")
                self._abandon()
            future: Future[T] = Future()
            self._running, self._started_at = future, time.monotonic()
            self._calls.put((call, future))
            if self._thread is None or not self._thread.is_alive():  # so it is after a fork
                self._thread = threading.Thread(
                    target=self._work,
                    args=(self._calls,),
                    name=f"deadline-{self.name}",
                    daemon=True,
                )
                self._thread.start()
        return future

    def result(self, future: "Future[T]", timeout: float) -> T:
        """What a submitted call returned or raised. Raises DeadlineExceeded after the timeout."""
        done, _ = wait((future,), timeout)
        if not done:
            raise DeadlineExceeded(f"{self.name} does not answer within {timeout:g} s")
        return future.result()

    def shutdown(self) -> None:
        """Ends the idle thread and closes its connections. The next call starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._calls.put(None)
            self._calls = SimpleQueue()
        if thread is not None:
            thread.join(IDLE_SECONDS)

    def _abandon(self) -> None:
        self._calls.put(None)  # the thread ends, should its call ever return
        self._calls, self._thread = SimpleQueue(), None
        self._abandoned += 1
        logger.warning("%s has not answered for %g s; asked again", self.name, ABANDON_AFTER)

    def _work(self, calls: "SimpleQueue[Call | None]") -> None:
        try:
            while True:
                try:
                    found = calls.get(timeout=IDLE_SECONDS)
                except Empty:
                    with self._lock:
                        if not calls.empty():
                            continue
                        if self._calls is calls:
                            self._thread = None
                        return
                if found is None:
                    return
                self._call(*found)
                del found
        finally:
            connections.close_all()

    def _call(self, call: Callable[[], Any], future: "Future[Any]") -> None:
        close_old_connections()
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  # raised where the result is asked for
            future.set_exception(error)
        finally:
            close_old_connections() if self._keeps_connections else connections.close_all()


def shutdown_all() -> None:
    """Ends the idle threads of all executors of this process, with their connections."""
    for executor in list(_executors):
        executor.shutdown()
