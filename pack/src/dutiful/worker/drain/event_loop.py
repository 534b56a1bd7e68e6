"""Calls in Celery's event loop, made from another thread, which waits for them within a time."""

import threading
from collections.abc import Callable
from typing import Any


class EventLoop:
    """The event loop of a worker's main thread. After a call that came too late, no other is tried.

    gevent and Windows have no such loop: there nothing is called, and every answer is False.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._stuck = False

    def call(self, call: Callable[[], object], seconds: float) -> bool:
        """Whether the loop has made the call within that time. The loop logs what it raises."""
        hub = getattr(self._worker, "hub", None)
        if hub is None or self._stuck:
            return False
        done = threading.Event()

        def turn() -> None:
            try:
                call()
            finally:
                done.set()

        hub.call_soon(turn)
        self._stuck = not done.wait(seconds)
        return not self._stuck

    def turn(self, seconds: float) -> bool:
        """Whether, within that time, the loop has made all calls that were planned before this one.

        It takes two turns, since the calls of one turn are made in no particular order.
        """
        return self.call(_nothing, seconds / 2) and self.call(_nothing, seconds / 2)


def _nothing() -> None:
    pass
