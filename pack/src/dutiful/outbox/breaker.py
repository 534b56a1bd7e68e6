"""A circuit breaker: whether the broker is worth a try, as far as this process knows.

One call that fails opens it. A thread pings the broker then, so that no caller has to wait for it;
that ping is the half-open state.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from dutiful.transport.redis.publisher import Unavailable

FIRST: Final = 0.2
"""Seconds until the first ping; each waits twice as long as the one before."""
LONGEST: Final = 1.0
"""Seconds between pings, at most."""

logger = logging.getLogger(__name__)


class Breaker:
    """`ping` raises Unavailable while the broker does not answer."""

    def __init__(self, ping: Callable[[], Any]) -> None:
        self._ping = ping
        self._lock = threading.Lock()
        self.reason = ""
        """Why it is open; "": it is closed."""
        os.register_at_fork(after_in_child=self._forget)

    @property
    def open(self) -> bool:
        return bool(self.reason)

    def trip(self, error: BaseException) -> None:
        """Opens it. From any thread; returns at once."""
        with self._lock:
            if self.reason:
                return
            self.reason = str(error) or type(error).__name__
        logger.warning("the broker takes no messages, the outbox keeps them: %s", self.reason)
        threading.Thread(target=self._probe, name="outbox-probe", daemon=True).start()

    def _probe(self) -> None:
        began, wait = time.monotonic(), FIRST
        try:
            while not self._answers(wait):
                wait = min(2 * wait, LONGEST)
            logger.info("the broker answers again, after %.1f s", time.monotonic() - began)
        finally:
            self.reason = ""  # however this thread ended, the next caller tries

    def _answers(self, wait: float) -> bool:
        time.sleep(wait)
        try:
            self._ping()
        except Unavailable as error:
            self.reason = str(error) or type(error).__name__
            return False
        return True

    def _forget(self) -> None:
        # The thread stayed in the parent.
        self._lock, self.reason = threading.Lock(), ""
