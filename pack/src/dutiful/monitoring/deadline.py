"""A call with a time budget: a server that is frozen must not freeze who asks after it.

A thread cannot be stopped, so one that hangs keeps its call and others are told at once that it
still hangs. After a minute it is left behind, since a network may have lost its connection.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from django.db import connections

T = TypeVar("T")
Call = tuple[Callable[[], Any], "Future[Any]"]
LEFT_AFTER: Final = 60.0
MOST_LEFT: Final = 5
"""Threads that may be left behind; past that, whoever hangs keeps its thread."""

logger = logging.getLogger(__name__)


class Late(Exception):
    """It did not answer within its budget."""


class Aside:
    """One thread, made at the first call (so after a fork), that does one call at a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._calls: SimpleQueue[Call | None] | None = None
        self._under_way: Future[Any] | None = None
        self._began = 0.0
        self._left = 0

    def ask(self, call: Callable[[], T], seconds: float) -> T:
        """What `call` returns or raises. Raises Late after `seconds`, at once where one hangs."""
        future = self.begin(call)
        done, _ = wait((future,), seconds)
        if not done:
            raise Late(f"{self.name} does not answer within {seconds:g} s")
        return future.result()

    def begin(self, call: Callable[[], T]) -> "Future[T]":
        """Starts it and returns at once. Raises Late where an earlier call is under way."""
        self._leave_behind()
        with self._lock:
            if self._under_way is not None and not self._under_way.done():
                hung = time.monotonic() - self._began
                raise Late(f"{self.name} does not answer (for {hung:.1f} s)")
            future: Future[T] = Future()
            self._under_way, self._began = future, time.monotonic()
            if self._calls is None:
                self._calls = SimpleQueue()
                name = f"aside-{self.name}"
                threading.Thread(target=_run, args=(self._calls,), name=name, daemon=True).start()
            self._calls.put((call, future))
        return future

    def _leave_behind(self) -> None:
        with self._lock:
            hangs = self._under_way is not None and not self._under_way.done()
            if not hangs or self._left >= MOST_LEFT or self._calls is None:
                return
            if time.monotonic() - self._began <= LEFT_AFTER:
                return
            self._calls.put(None)  # its thread ends, should the call ever do
            self._left += 1
            self._calls = self._under_way = None
        logger.warning("%s hangs for %g s: asked anew in another thread", self.name, LEFT_AFTER)


def _run(calls: "SimpleQueue[Call | None]") -> None:
    while (found := calls.get()) is not None:
        call, future = found
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  # raised where it was asked
            future.set_exception(error)
        finally:
            connections.close_all()  # asked seldom: an idle connection each would be a waste
        del call, future, found
