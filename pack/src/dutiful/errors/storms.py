"""What happens a thousand times a minute: the first few are told, the rest is counted and told.

Each process has limits of its own.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Final

WINDOW: Final = 60.0
"""Seconds."""
Kind = tuple[str, ...]
"""What makes two of them alike, in words."""
OTHERS: Final[Kind] = ("others",)


class Limit:
    """`each` of a kind and `most` of all kinds in a window.

    At its end `told(kind, count)` is called for each kind of which some were left out, in a thread
    of its own.
    """

    def __init__(self, each: int, most: int, told: Callable[[Kind, int], None]) -> None:
        self._each, self._most, self._told = each, most, told
        self._seen: dict[Kind, int]
        self._left_out: dict[Kind, int]
        self._closing: threading.Timer | None
        self._start()
        os.register_at_fork(after_in_child=self._start)  # what is left out there is the parent's

    def admit(self, kind: Kind) -> bool:
        """Whether this one is to be told. From any thread."""
        with self._lock:
            now = time.monotonic()
            if self._closing is None and now - self._began >= WINDOW:
                self._open(now)
            if kind not in self._seen and len(self._seen) >= self._most:
                kind = OTHERS
            seen = self._seen[kind] = self._seen.get(kind, 0) + 1
            if seen <= self._each and self._admitted < self._most:
                self._admitted += 1
                return True
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            if self._closing is None:
                self._closing = threading.Timer(self._began + WINDOW - now, self.close)
                self._closing.daemon = True
                self._closing.start()
            return False

    def close(self) -> None:
        """Ends the window and tells what was left out in it."""
        with self._lock:
            left_out = self._left_out
            self._open(time.monotonic())
        for kind, count in left_out.items():
            self._told(kind, count)

    def _start(self) -> None:
        self._lock = threading.RLock()  # an object that is collected meanwhile may log
        self._open(time.monotonic())

    def _open(self, now: float) -> None:
        self._began, self._admitted = now, 0
        self._seen, self._left_out, self._closing = {}, {}, None
