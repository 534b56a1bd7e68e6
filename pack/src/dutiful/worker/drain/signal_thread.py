"""The signals that stop a worker, taken in a thread of their own, which also holds the deadline.

Python runs a signal's handler in the main thread, between two of its instructions: a main thread
that waits in C (a solo task, a socket) would never come to it. The interpreter's wakeup fd is
written by the C handler at once.
"""

import os
import select
import signal
import threading
from collections.abc import Callable
from typing import Final

TAKEN: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
_WAKE: Final = 0  # the number of no signal


class Intake:
    """`signalled(number)` for each signal; `left()` gives the seconds it may sleep, or None."""

    def __init__(self, signalled: Callable[[int], None], left: Callable[[], float | None]) -> None:
        self._signalled, self._left = signalled, left
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def start(self) -> None:
        """Main thread only."""
        for number in TAKEN:
            signal.signal(number, _taken_elsewhere)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        # A child's signals are not its parent's.
        os.register_at_fork(after_in_child=_forget)
        threading.Thread(target=self._watch, name="signals", daemon=True).start()

    def wake(self) -> None:
        """There is a deadline now."""
        os.write(self._writer, bytes([_WAKE]))

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while True:
            left = self._left()
            if poll.poll(None if left is None else left * 1000 + 1):
                for number in os.read(self._reader, 64):
                    if number in TAKEN:
                        self._signalled(number)


def _taken_elsewhere(number: int, frame: object) -> None:
    """There must be a handler, or the interpreter would not write to the wakeup fd."""


def _forget() -> None:
    signal.set_wakeup_fd(-1)
