"""One run of a task in a thread of the pool: its time limits, its end, and its fence.

A job ends once. Either its own thread ends it, or the watcher gives it up at its hard limit. The
one that takes the job's lock first calls Celery's callbacks; the other one is fenced off, so that
nothing it does is stored or sent.
"""

import logging
import threading
import time
from math import inf
from typing import Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from celery.exceptions import Ignore

from dutiful.worker.database.discard import discard_connections
from dutiful.worker.threads.async_exception import (
    LIMITS,
    HardLimitReached,
    deliver_pending,
    raise_in_thread,
)
from dutiful.worker.threads.current import Callback, current

logger = logging.getLogger(__name__)


class Job:
    """A task that was given to the pool, with Celery's callbacks. Limits are in seconds."""

    # A task costs microseconds, so a job has no dict. Celery keeps a weak reference to it.
    __slots__ = (
        "__weakref__",
        "_accept",
        "_error",
        "_ident",
        "_in_body",
        "_lock",
        "_sent",
        "_success",
        "_timeout",
        "args",
        "began",
        "ended",
        "fenced",
        "hard",
        "kwargs",
        "native_id",
        "revoked",
        "soft",
        "soft_raised",
        "target",
        "task_id",
    )

    def __init__(
        self,
        target: Callback,
        args: Any,
        kwargs: Any,
        callback: Callback | None,
        accept_callback: Callback | None,
        error_callback: Callback | None,
        timeout_callback: Callback | None,
        soft: float | None,
        hard: float | None,
        task_id: str | None,
    ) -> None:
        self.target, self.args, self.kwargs = target, args, kwargs
        self.task_id = task_id
        self.soft, self.hard = soft or inf, hard or inf
        self._success, self._accept = callback, accept_callback
        self._error, self._timeout = error_callback, timeout_callback
        self._lock = threading.Lock()
        self._ident = self.native_id = 0
        self.began: float | None = None
        """time.monotonic() of its start; None while it waits for a slot."""
        self.ended = self.fenced = False
        """`ended`: its callbacks are called, by one caller. `fenced`: it passed its hard limit or
        was revoked, so its own thread must not report anything."""
        self.soft_raised = self._in_body = self._sent = False
        self.revoked = False

    @property
    def name(self) -> str:
        """The task's name, or the target's where the pool runs something else."""
        return str(self.args[0]) if self.args else getattr(self.target, "__name__", "")

    # Called in the pool's thread.

    def run(self, pid: int) -> bool:
        """Runs the task and calls Celery's callbacks.

        False if it was cancelled before it began. If it was given up meanwhile, True, and no
        callback is called.
        """
        with self._lock:
            if self.ended:
                return False
            self._ident, self.native_id = threading.get_ident(), threading.get_native_id()
            self.began = time.monotonic()
        current.job = self
        failed: Any = None
        result: Any = None
        try:
            if self._accept:
                self._accept(pid, self.began)
            result = self.target(*self.args, **self.kwargs)
        except BaseException:  # noqa: BLE001  # sys.exit() in a task too: Celery's request decides
            failed = ExceptionInfo()
        finally:
            current.job = None
        if not self._end():
            return True  # the watcher has reported the hard limit
        if failed is not None:
            self._call(self._error, failed)
        else:
            self._call(self._success, result)
        return True

    def _end(self, fenced: bool = False) -> bool:
        """True for the first caller only, which then reports the end."""
        with self._lock:
            if self.ended:
                return False
            self.ended, self.fenced = True, fenced
            return True

    def run_body(self, run: Callback, args: Any, kwargs: Any) -> Any:
        """Calls the task's own function; only meanwhile may a limit be raised in this thread.

        Raises Ignore where the job is fenced, so that Celery stores and sends nothing of it.
        """
        if self._in_body:
            return run(*args, **kwargs)  # a task that calls another one as a function
        try:
            try:
                self._enter_body()
                return run(*args, **kwargs)
            finally:
                self._leave_body()
        finally:
            self._leave_body()  # for a limit that was raised between the two lines above
            if self._sent:
                discard_connections()
            if self.fenced:
                raise Ignore(f"{self.name} ended after its hard time limit, or was revoked")

    def _enter_body(self) -> None:
        with self._lock:
            self._in_body = not self.fenced
        if self.fenced:
            raise Ignore(f"{self.name} is past its hard time limit, or was revoked")

    def _leave_body(self) -> None:
        while self._in_body:
            try:
                with self._lock:
                    self._in_body = False
                    if self._sent:
                        raise_in_thread(self._ident, None)  # cancels a limit not raised yet
            except LIMITS:
                continue  # raised too late: the function has ended

    def suspend_limits(self) -> bool:
        """Raises no limit from here until `resume_limits`. False where none could be anyway."""
        if not self._in_body:
            return False
        try:
            with self._lock:
                self._in_body = False
            deliver_pending()
        except LIMITS:
            self._in_body = True
            raise
        return True

    def resume_limits(self) -> None:
        """Lets limits be raised again; the watcher then raises a soft limit that was due.

        Raises HardLimitReached where the hard limit passed meanwhile.
        """
        with self._lock:
            self._in_body = not self.fenced
            self._sent = self._sent or self.fenced
        if self.fenced:
            raise HardLimitReached

    # Called in other threads.

    def cancel(self) -> bool:
        """True if it had not begun, and now never will. Its callbacks are not called."""
        with self._lock:
            if self.began is not None or self.ended:
                return False
            self.ended = True
            return True

    def terminate(self, signal: int | None = None) -> None:
        """Celery calls this for revoke(terminate=True) and reports it. The watcher ends the run."""
        self.revoked = True

    def raise_soft_limit(self) -> None:
        """Raises the soft limit in the thread if the task's function runs, and reports it."""
        if self._interrupt(SoftTimeLimitExceeded):
            self.soft_raised = True
            self._call(self._timeout, soft=True, timeout=self.soft)

    def give_up(self) -> bool:
        """Ends the job at its hard limit and fences its thread. False if it had ended before."""
        if not self._end(fenced=True):
            return False
        self._interrupt(HardLimitReached)  # ends Python code; a blocking call goes on
        return True

    def report_hard_limit(self) -> None:
        """Calls Celery's callbacks for a hard limit, in the order of billiard's pool."""
        if self.revoked:
            return
        try:
            raise TimeLimitExceeded(self.hard)
        except TimeLimitExceeded:
            info = ExceptionInfo()
        self._call(self._error, info)
        self._call(self._timeout, soft=False, timeout=self.hard)

    def _interrupt(self, limit: type[BaseException]) -> bool:
        with self._lock:
            if self._in_body:
                self._sent = True
                raise_in_thread(self._ident, limit)
            return self._in_body

    def _call(self, callback: Callback | None, *args: Any, **kwargs: Any) -> None:
        if callback is None:
            return
        try:
            callback(*args, **kwargs)
        except BaseException:
            logger.exception(
                f"Celery could not settle {self.name}[{self.task_id}]; its message stays with"
                " this worker until it ends, and is then run again"
            )
