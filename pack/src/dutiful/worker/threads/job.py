"""One task's run in a thread of the pool: who may interrupt it, and who may still speak for it.

A job ends once. Either its own thread finishes it, or the watcher gives it up at its hard limit;
whoever takes the job's lock first decides, and the other one is fenced off.
"""

import logging
import threading
import time
from math import inf
from typing import Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from celery.exceptions import Ignore

from dutiful.worker.threads.current import Callback, current
from dutiful.worker.threads.database import discard_connections
from dutiful.worker.threads.interrupt import LIMITS, GivenUp, arrive, raise_in

logger = logging.getLogger(__name__)


class Job:
    """A task handed to the pool, with Celery's callbacks. Limits are in seconds."""

    # A task's cost is counted in microseconds: no dict. Celery keeps a weak reference.
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
        "fenced",
        "hard",
        "kwargs",
        "native_id",
        "over",
        "soft",
        "soft_told",
        "target",
        "task_id",
        "unwanted",
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
        """time.monotonic() of its start; None while it waits."""
        self.over = self.fenced = False
        """`over`: it may say nothing more. `fenced`: because its hard limit passed."""
        self.soft_told = self._in_body = self._sent = False
        self.unwanted = False

    @property
    def name(self) -> str:
        """The task's name, or the target's where the pool runs something else."""
        return str(self.args[0]) if self.args else getattr(self.target, "__name__", "")

    # In the pool's thread.

    def run(self, pid: int) -> bool:
        """Runs it and calls back, unless it was cancelled (False) or given up meanwhile."""
        with self._lock:
            if self.over:
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
        except BaseException:  # noqa: BLE001  # a task's sys.exit() too: the request judges it
            failed = ExceptionInfo()
        finally:
            current.job = None
        if not self._end():
            return True  # too late: the hard limit has spoken for it
        if failed is not None:
            self._call(self._error, failed)
        else:
            self._call(self._success, result)
        return True

    def _end(self, fenced: bool = False) -> bool:
        """True for the one caller who may speak for it from here on."""
        with self._lock:
            if self.over:
                return False
            self.over, self.fenced = True, fenced
            return True

    def in_body(self, run: Callback, args: Any, kwargs: Any) -> Any:
        """Calls the task's own function; only meanwhile may a limit be raised in the thread.

        Raises Ignore where the job is fenced, so that Celery stores and sends nothing of it.
        """
        if self._in_body:
            return run(*args, **kwargs)  # a task that calls another one as a function
        try:
            try:
                self._enter()
                return run(*args, **kwargs)
            finally:
                self._leave()
        finally:
            self._leave()  # where a limit came between the two lines above
            if self._sent:
                discard_connections()
            if self.fenced:
                raise Ignore(f"{self.name} ended past its hard time limit, or revoked")

    def _enter(self) -> None:
        with self._lock:
            self._in_body = not self.fenced
        if self.fenced:
            raise Ignore(f"{self.name} is past its hard time limit, or revoked")

    def _leave(self) -> None:
        while self._in_body:
            try:
                with self._lock:
                    self._in_body = False
                    if self._sent:
                        raise_in(self._ident, None)  # what has not arrived yet
            except LIMITS:
                continue  # it came late: the body is over

    def hold(self) -> bool:
        """No limit is raised from here until `go_on`. False where none would be anyway."""
        if not self._in_body:
            return False
        try:
            with self._lock:
                self._in_body = False
            arrive()
        except LIMITS:
            self._in_body = True
            raise
        return True

    def go_on(self) -> None:
        """Raises GivenUp where the hard limit came meanwhile; a soft one is raised anew."""
        with self._lock:
            self._in_body = not self.fenced
            self._sent = self._sent or self.fenced
        if self.fenced:
            raise GivenUp

    # In other threads.

    def cancel(self) -> bool:
        """True if it had not started, and now never will. Its callbacks are not called."""
        with self._lock:
            if self.began is not None or self.over:
                return False
            self.over = True
            return True

    def terminate(self, signal: int | None = None) -> None:
        """Celery's revoke(terminate=True), which has told the caller. The watcher does the rest."""
        self.unwanted = True

    def tell_soft(self) -> None:
        """The soft limit: raised in the thread once its body runs, and told to Celery."""
        if self._interrupt(SoftTimeLimitExceeded):
            self.soft_told = True
            self._call(self._timeout, soft=True, timeout=self.soft)

    def give_up(self) -> bool:
        """The hard limit: from here on the thread can say nothing. False if it was over."""
        if not self._end(fenced=True):
            return False
        self._interrupt(GivenUp)  # pure Python ends here; a blocking call does not
        return True

    def tell_hard(self) -> None:
        """Tells Celery of the hard limit as billiard's pool does, in this order."""
        if self.unwanted:
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
                raise_in(self._ident, limit)
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
