"""Limits repeated reports: the first few of a kind pass, and the number of the others is reported.

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
"""Identifies equal reports."""
OTHERS: Final[Kind] = ("others",)


class Limit:
    """Admits `each` reports of a kind and `most` of all kinds in a window of WINDOW seconds.

    At the end of a window it calls `report(kind, count)` in a thread of its own, for each kind of
    which some were left out.
    """

    def __init__(self, each: int, most: int, report: Callable[[Kind, int], None]) -> None:
        self._each, self._most, self._report = each, most, report
        self._seen: dict[Kind, int]
        self._left_out: dict[Kind, int]
        self._closing: threading.Timer | None
        self._start()
        os.register_at_fork(after_in_child=self._start)  # the parent reports its own

    def admit(self, kind: Kind) -> bool:
        """Whether this one passes. It may be called in any thread."""
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
        """Ends the window and reports what was left out in it."""
        with self._lock:
            left_out = self._left_out
            self._open(time.monotonic())
        for kind, count in left_out.items():
            self._report(kind, count)

    def _start(self) -> None:
        self._lock = threading.RLock()  # reentrant: the collection of an object may log
        self._open(time.monotonic())

    def _open(self, now: float) -> None:
        self._began, self._admitted = now, 0
        self._seen, self._left_out, self._closing = {}, {}, None
