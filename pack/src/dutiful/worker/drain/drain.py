"""How a worker stops: what has not begun goes back, what runs may finish, and then it leaves.

Celery's way waits for running tasks without limit, and again when it closes its pool; a platform
kills long before. Here Celery's loop goes on to the end (so results are read and acknowledged),
a thread beside it does the stopping, another one holds it to its deadline, and `os._exit` ends
the process: no thread, lock or socket can hold it up.
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
from celery.worker.control import control_command

from dutiful.catalogue.profiles import GRACE
from dutiful.errors.logs import lines
from dutiful.task import interruption
from dutiful.worker.drain import children as drain_children
from dutiful.worker.drain.loop import Loop
from dutiful.worker.drain.messages import Messages
from dutiful.worker.drain.signals import Intake

logger = logging.getLogger(__name__)

SAME_SIGNAL_SECONDS: Final = 3.0
"""A signal that comes again within these is the same one: Heroku's and honcho's come in twos."""
LAST_SHARE: Final = 0.15
LAST_MOST_SECONDS: Final = 3.0
"""The end of the grace that is kept for flushing and putting back: a share of it, at most this."""
TURN_SECONDS: Final = 0.05

_current: "Drain | None" = None


def _forget() -> None:
    global _current
    _current = None


os.register_at_fork(after_in_child=_forget)  # a pool's child is no worker


def begin(reason: str, then: Callable[[], None] | None = None) -> bool:
    """Drains this worker as a SIGTERM would; False if it does already, or is no worker.

    From any thread; returns at once. `then` is called in place of the exit once nothing is held
    any more (an execv, say), unless a signal asks for the exit meanwhile.
    """
    return _current is not None and _current.begin(reason, then)


def begun() -> bool:
    """Whether this worker stops: nothing new may be started."""
    return _current is not None and _current.begun


@control_command(name="shutdown")
def _shutdown(state: Any, msg: str = "Got shutdown from remote", **_: Any) -> None:
    """`celery control shutdown`: Celery's waits without limit."""
    begin(msg)


class Drain:
    """One worker's stop. `grace` is the whole of it, in seconds: the process has ended by then."""

    def __init__(self, worker: Any, grace: float = GRACE) -> None:
        self.grace = grace
        self._worker = worker
        self._loop = Loop(worker)
        self._messages = Messages(worker, self._loop)
        self._lock = threading.Lock()
        self._begun, self._hurry = threading.Event(), threading.Event()
        self._reason = ""
        self._asked: float | None = None  # when a signal first asked for the exit
        self._deadline: float | None = None
        self._then: Callable[[], None] | None = None
        self._left_alone = False  # all is put back: what remains is to become something else
        self._intake = Intake(self.signalled, self._overdue)

    @property
    def begun(self) -> bool:
        return self._deadline is not None

    def listen(self) -> None:
        """From here on signals come here. In the main thread, once Celery has set its own."""
        global _current
        _current = self
        # Started now: when the time has come there may be no memory left for a thread.
        threading.Thread(target=self._run, name="drain", daemon=True).start()
        self._intake.start()

    def starts(self, request: Any) -> bool:
        """Called in Celery's loop before a request goes to the pool; False: it went back."""
        return self._messages.starts(request)

    def begin(self, reason: str, then: Callable[[], None] | None = None) -> bool:
        with self._lock:
            if self._deadline is not None:
                return False
            self._deadline = time.monotonic() + self.grace
            self._reason, self._then = reason, then
        self._begun.set()
        self._intake.wake()
        return True

    def bound(self) -> None:
        """Celery stops by itself, on an error that it cannot go on from: within the grace too."""
        with self._lock:
            if self._deadline is None:
                self._deadline = time.monotonic() + self.grace
        self._intake.wake()

    def signalled(self, number: int) -> None:
        """In the thread that takes signals, so nothing here may wait."""
        if self._left_alone:
            os._exit(os.EX_OK)  # nothing is held any more: no new program where an end is asked for
        name = Signals(number).name
        if number == Signals.SIGHUP and not self._worker._isatty:
            self.begin(name, _run_again)
            return
        fresh = self.begin(name)
        now = time.monotonic()
        with self._lock:
            again = self._asked is not None and now - self._asked > SAME_SIGNAL_SECONDS
            if self._asked is None:
                self._asked, self._then = now, None
                if not fresh:  # it drained for reasons of its own, with some grace used up
                    self._deadline = now + self.grace
            if again or number == Signals.SIGQUIT:
                self._deadline = min(self._deadline or now, now + LAST_MOST_SECONDS)
                self._hurry.set()

    def _overdue(self) -> float | None:
        """Seconds until the process must have ended; None while nobody has asked for it."""
        if self._deadline is None:
            return None
        left = self._left()
        if left <= 0:
            # The thread that drains is stuck. What it has not put back is this worker's until its
            # lease ends (stock: until the visibility timeout); its children end with it.
            try:
                drain_children.kill(drain_children.pids(self._worker.pool))
            finally:
                os._exit(os.EX_TEMPFAIL)
        return left

    @property
    def _last(self) -> float:
        """Seconds kept for the end."""
        return min(LAST_MOST_SECONDS, self.grace * LAST_SHARE)

    def _left(self) -> float:
        assert self._deadline is not None
        return self._deadline - time.monotonic()

    def _time_is_up(self) -> bool:
        return self._hurry.is_set() or self._left() < self._last

    def _run(self) -> None:
        self._begun.wait()
        _step(self._let_tasks_finish)
        self._finish()

    def _let_tasks_finish(self) -> None:
        _step(self._messages.stop_claiming)
        interruption.ask()  # long loops save their place and go back
        returned = _step(self._messages.put_back_unstarted) or 0
        logger.info(
            f"worker stops ({self._reason}): {returned} messages that had not begun went back,"
            f" {self._messages.running()} tasks have {self.grace - self._last:g} s to finish"
        )
        signals.worker_shutting_down.send(
            sender=self._worker.hostname, sig=self._reason, how="Warm", exitcode=os.EX_OK
        )
        while self._messages.running() and not self._time_is_up():
            self._hurry.wait(TURN_SECONDS)
            _step(self._messages.put_back_unstarted)  # due or delivered only now

    def _finish(self) -> None:
        last, children = self._last, drain_children.pids(self._worker.pool)
        _step(self._worker.say_goodbye, self._loop, last / 6)
        _step(self._messages.flush, last / 6)
        unfinished = self._messages.running()
        _step(self._worker.end_trial)
        if unfinished:
            # Stopped, not killed yet: Celery would count their deaths as crashes. What they had
            # written before is still read.
            drain_children.freeze(children)
            self._loop.turn(last / 12)
        else:
            _step(drain_children.leave, self._worker.pool, self._loop, children, last / 4)
        complete = _step(self._messages.close, max(last / 3, self._left() - last / 3))
        _step(_flush_tracker, last / 6)
        _step(self._worker.tidy)
        if not complete:
            logger.warning("the broker did not answer: its lease returns what this worker held")
        logger.info(f"worker ends: {unfinished} unfinished tasks went back")
        _step(flush_streams)
        drain_children.kill(children)
        drain_children.reap(children, min(1.0, self._left() - last / 12))
        with self._lock:
            then, self._left_alone = self._then, True
        if then is not None:
            _step(then)
            os._exit(os.EX_SOFTWARE)
        os._exit(os.EX_OK)


def _step(call: Callable[..., Any], *args: Any) -> Any:
    """What fails at the end must not keep the rest from being done. None where it fails."""
    try:
        return call(*args)
    except Exception:
        logger.exception(f"while the worker stops: {call.__name__}")


def _flush_tracker(seconds: float) -> None:
    """Sentry sends from a thread of its own, and flushes in an atexit that never comes."""
    if sdk := sys.modules.get("sentry_sdk"):
        sdk.flush(timeout=seconds)


def flush_streams() -> None:
    """Nothing of what was logged is lost when this process ends without Python's own end."""
    lines.flush()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _run_again() -> None:
    """The same command line in the same process, the interpreter's own flags too."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
