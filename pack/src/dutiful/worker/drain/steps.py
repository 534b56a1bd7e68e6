"""The steps of a drain, done by a thread of their own, and the deadline that another one holds.

Celery's event loop runs to the end, so that results are read and acknowledged. `os._exit` ends the
process, so that no thread, lock or socket delays it.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from signal import Signals
from typing import Any, Final

from celery import signals

from dutiful.catalogue.profiles import GRACE
from dutiful.task import interruption
from dutiful.worker.drain import children as pool_children
from dutiful.worker.drain.event_loop import EventLoop
from dutiful.worker.drain.held_messages import HeldMessages
from dutiful.worker.drain.process_end import exec_again, flush_streams
from dutiful.worker.drain.signal_thread import SignalThread

logger = logging.getLogger(__name__)

SAME_SIGNAL_SECONDS: Final = 3.0
"""A signal repeated within this time counts once: Heroku and honcho send each signal twice."""
END_SHARE: Final = 0.15
END_MOST_SECONDS: Final = 3.0
"""The end of the grace that is kept for flushing and putting back: a share of it, at most this."""
TURN_SECONDS: Final = 0.05


class Drain:
    """One worker's stop. `grace` in seconds is all of it: the process has ended by then."""

    def __init__(self, worker: Any, grace: float = GRACE) -> None:
        self.grace = grace
        self._worker = worker
        self._loop = EventLoop(worker)
        self._messages = HeldMessages(worker, self._loop)
        self._lock = threading.Lock()
        self._begun, self._hurry = threading.Event(), threading.Event()
        self._reason = ""
        self._exit_asked: float | None = None
        """time.monotonic() of the first signal that asked for the exit."""
        self._deadline: float | None = None
        self._then: Callable[[], None] | None = None
        self._all_put_back = False
        """Nothing is held any more; what remains is `_then`."""
        self._signals = SignalThread(self.signalled, self._enforce_deadline)

    @property
    def begun(self) -> bool:
        """Whether the worker stops."""
        return self._deadline is not None

    def listen(self) -> None:
        """Receives signals from now on. Call it in the main thread, after Celery set its own."""
        # Started now: when the drain begins there may be no memory left for a thread.
        threading.Thread(target=self._run, name="drain", daemon=True).start()
        self._signals.start()

    def starts(self, request: Any) -> bool:
        """Asked in Celery's loop before a request goes to the pool. False: it was put back."""
        return self._messages.starts(request)

    def begin(self, reason: str, then: Callable[[], None] | None = None) -> bool:
        """Starts the steps, from any thread. False if they have started before."""
        with self._lock:
            if self._deadline is not None:
                return False
            self._deadline = time.monotonic() + self.grace
            self._reason, self._then = reason, then
        self._begun.set()
        self._signals.wake()
        return True

    def set_deadline(self) -> None:
        """Celery stops by itself, on an error: it too must have ended within the grace."""
        with self._lock:
            if self._deadline is None:
                self._deadline = time.monotonic() + self.grace
        self._signals.wake()

    def signalled(self, number: int) -> None:
        """Handles one signal, in the thread that receives them: nothing here may wait."""
        if self._all_put_back:
            os._exit(os.EX_OK)  # a signal asks for the exit: start no new program
        name = Signals(number).name
        if number == Signals.SIGHUP and not self._worker._isatty:
            self.begin(name, exec_again)
            return
        fresh = self.begin(name)
        now = time.monotonic()
        with self._lock:
            again = self._exit_asked is not None and now - self._exit_asked > SAME_SIGNAL_SECONDS
            if self._exit_asked is None:
                self._exit_asked, self._then = now, None
                if not fresh:  # it drained for another reason, and has used some of its grace
                    self._deadline = now + self.grace
            if again or number == Signals.SIGQUIT:
                self._deadline = min(self._deadline or now, now + END_MOST_SECONDS)
                self._hurry.set()

    def _enforce_deadline(self) -> float | None:
        """Returns the seconds until the process must have ended; None without a deadline.

        Past the deadline it ends the process.
        """
        if self._deadline is None:
            return None
        left = self._left()
        if left <= 0:
            # The draining thread is stuck. What it has not put back stays this worker's until its
            # lease ends (stock: until the visibility timeout); its children end with it.
            try:
                pool_children.kill(pool_children.pids(self._worker.pool))
            finally:
                os._exit(os.EX_TEMPFAIL)
        return left

    @property
    def _end_seconds(self) -> float:
        """The end of the grace, kept for flushing and putting back."""
        return min(END_MOST_SECONDS, self.grace * END_SHARE)

    def _left(self) -> float:
        assert self._deadline is not None
        return self._deadline - time.monotonic()

    def _time_is_up(self) -> bool:
        return self._hurry.is_set() or self._left() < self._end_seconds

    def _run(self) -> None:
        self._begun.wait()
        _step(self._let_tasks_finish)
        self._finish()

    def _let_tasks_finish(self) -> None:
        _step(self._messages.stop_claiming)
        interruption.ask()  # tasks that iterate save their position and end
        returned = _step(self._messages.put_back_unstarted) or 0
        logger.info(
            f"worker stops ({self._reason}): {returned} messages that had not begun were put back,"
            f" {self._messages.running()} tasks have {self.grace - self._end_seconds:g} s to finish"
        )
        signals.worker_shutting_down.send(
            sender=self._worker.hostname, sig=self._reason, how="Warm", exitcode=os.EX_OK
        )
        while self._messages.running() and not self._time_is_up():
            self._hurry.wait(TURN_SECONDS)
            _step(self._messages.put_back_unstarted)  # messages that were delivered only now

    def _finish(self) -> None:
        end, children = self._end_seconds, pool_children.pids(self._worker.pool)
        _step(self._worker.announce_end, self._loop, end / 6)
        _step(self._messages.flush, end / 6)
        unfinished = self._messages.running()
        _step(self._worker.end_isolated_run)
        if unfinished:
            # Stopped, not killed yet: Celery would count their deaths as crashes. The results that
            # they wrote before are still read.
            pool_children.freeze(children)
            self._loop.turn(end / 12)
        else:
            _step(pool_children.end_idle, self._worker.pool, self._loop, children, end / 4)
        complete = _step(self._messages.close, max(end / 3, self._left() - end / 3))
        _step(_flush_tracker, end / 6)
        _step(self._worker.tidy)
        if not complete:
            logger.warning(
                "the broker did not answer: the messages that this worker held are put back when"
                " its lease ends"
            )
        logger.info(f"worker ends: {unfinished} unfinished tasks were put back")
        _step(flush_streams)
        pool_children.kill(children)
        pool_children.reap(children, min(1.0, self._left() - end / 12))
        with self._lock:
            then, self._all_put_back = self._then, True
        if then is not None:
            _step(then)
            os._exit(os.EX_SOFTWARE)
        os._exit(os.EX_OK)


def _step(call: Callable[..., Any], *args: Any) -> Any:
    """Calls it; logs what it raises, so that the next steps are still done. Then returns None."""
    try:
        return call(*args)
    except Exception:
        logger.exception(f"while the worker stops: {call.__name__}")


def _flush_tracker(seconds: float) -> None:
    """Sentry sends from a thread and flushes in an `atexit`, which `os._exit` leaves out."""
    if sdk := sys.modules.get("sentry_sdk"):
        sdk.flush(timeout=seconds)
