"""A thread that receives the signals which stop a worker, and that enforces its deadline.

Python runs a signal handler in the main thread, between two of its instructions: a main thread that
waits in C (a solo task, a socket) never reaches it. The interpreter's wakeup fd is written by the
handler in C, at once; this thread reads it.
"""

import os
import select
import signal
import threading
from collections.abc import Callable
from typing import Final

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
_WAKE: Final = 0  # no signal has this number


class SignalThread:
    """Calls `signalled(number)` for each signal.

    Before each sleep it calls `enforce_deadline()`, which returns for how many seconds it may
    sleep, or None for as long as no signal comes.
    """

    def __init__(
        self, signalled: Callable[[int], None], enforce_deadline: Callable[[], float | None]
    ) -> None:
        self._signalled, self._enforce_deadline = signalled, enforce_deadline
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def start(self) -> None:
        """Starts the thread and takes the signals. Call it in the main thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, _handled_in_the_thread)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        # A forked child must not write its signals into its parent's pipe.
        os.register_at_fork(after_in_child=_release_wakeup_fd)
        threading.Thread(target=self._watch, name="signals", daemon=True).start()

    def wake(self) -> None:
        """Ends the thread's sleep, since there is a deadline now."""
        os.write(self._writer, bytes([_WAKE]))

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while True:
            left = self._enforce_deadline()
            if poll.poll(None if left is None else left * 1000 + 1):
                for number in os.read(self._reader, 64):
                    if number in STOP_SIGNALS:
                        self._signalled(number)


def _handled_in_the_thread(number: int, frame: object) -> None:
    """Without a Python handler the interpreter would not write to the wakeup fd."""


def _release_wakeup_fd() -> None:
    signal.set_wakeup_fd(-1)
