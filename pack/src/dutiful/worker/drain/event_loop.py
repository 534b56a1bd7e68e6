"""Work for Celery's event loop from another thread, waited for no longer than told."""

import threading
from collections.abc import Callable
from typing import Any


class Loop:
    """The loop of a worker's main thread. A loop that once did not come in time is not asked again.

    gevent and Windows have no such loop: there nothing is done, and every answer is False.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._stands = False

    def call(self, call: Callable[[], object], seconds: float) -> bool:
        """Whether the loop has called it within these seconds. Errors are the loop's to log."""
        hub = getattr(self._worker, "hub", None)
        if hub is None or self._stands:
            return False
        done = threading.Event()

        def turn() -> None:
            try:
                call()
            finally:
                done.set()

        hub.call_soon(turn)
        self._stands = not done.wait(seconds)
        return not self._stands

    def turn(self, seconds: float) -> bool:
        """Whether all that was asked of the loop before now has been done.

        Two turns: one turn's calls are made in no order.
        """
        return self.call(_nothing, seconds / 2) and self.call(_nothing, seconds / 2)


def _nothing() -> None:
    pass
