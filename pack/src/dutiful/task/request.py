"""A message in a worker's hands, and how it ends, as the worker's main process sees it.

Stock Celery gives up a task at its hard limit, whatever its retries say, and publishes it again
when its child is killed. Ours: a hard limit is a timeout to retry; a killed child counts a crash
against the message, which goes back as it is; whatever ends for good is a dead letter.
"""

import logging
import os
from dataclasses import replace
from typing import Any, ClassVar

from billiard import einfo
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.exceptions import Retry
from celery.utils.nodenames import gethostname
from celery.worker import request as stock
from celery.worker import state

from dutiful.task import endings
from dutiful.task.arguments import ArgumentsDoNotFit
from dutiful.task.interruption import Interrupted
from dutiful.transport.message import Message

logger = logging.getLogger(__name__)
# celery-types is behind 5.7 in both.
CeleryRequest: Any = stock.Request
_WITH_TRACEBACK: Any = einfo.ExceptionWithTraceback  # type: ignore[attr-defined]


class Request(CeleryRequest):
    """Celery's callbacks from the pool. `ours`: the message came by the project's transport."""

    acknowledged: bool
    _tries_again = False
    _is_poison = False
    _ending: endings.Ending | None = None
    """How it ended, from the moment that is known until the message is settled."""
    pool: Any = None
    """What runs it instead of the worker's pool: an isolated run (dutiful.worker.quarantine)."""
    home: ClassVar[Any] = None
    """`home(request, ending)` files an end whose message cannot be settled as a dead letter, or
    raises (dutiful.deadletters). Without it, failures of tasks are Celery's: a line in the log."""

    @property
    def ours(self) -> bool:
        """Whether the message is still to be settled, and can be in more ways than Celery's."""
        return isinstance(self.message, Message) and not self.acknowledged

    @property
    def copies(self) -> bool:
        """Whether it can go back as a copy of itself: RabbitMQ
        (dutiful/worker/consumer/rabbitmq.py).
        """
        return hasattr(self.message, "copy_back") and not self.acknowledged

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """In the main process. The pool reports a hard limit here first, then to on_timeout."""
        error = exc_info.exception
        if isinstance(error, _WITH_TRACEBACK):
            error = error.exc
        left = self._context.retries < (self.task.max_retries or 0)
        if isinstance(error, TimeLimitExceeded) and left and not state.should_terminate:
            # Celery 5.7's own republish for a lost child: the same message, retries + 1.
            self._tries_again = self._retry_worker_lost(error, exc_info)
            if self._tries_again or self.ours:
                self._tries_again = True
                self.give_back()  # where the next try could not be published
                return
        if self._lost(error):
            self._crashed(error, exc_info)
            return
        if isinstance(error, Interrupted) and (self.copies or (self.ours and not error.later)):
            self.give_back()
            return
        self._ending = self._ended(error, exc_info)
        if self.acknowledged and self._ending:
            self._file_anyway()  # acknowledged before it ran: acks_late=False
        if isinstance(error, MemoryError) and return_ok:
            self._failed(exc_info)
            return
        super().on_failure(exc_info, send_failed_event, return_ok)
        if self.ours:
            # Cancelled: stock leaves it to the broker, which never takes it from a live worker.
            self.message.put_back()
            self.acknowledged = True

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """In the main process, after which the pool kills the child."""
        if soft or not self._tries_again:
            super().on_timeout(soft, timeout)

    def terminate(self, pool: Any, signal: Any = None) -> None:
        """Celery's revoke(terminate=True)."""
        super().terminate(self.pool or pool, signal)

    def cancel(self, pool: Any, signal: Any = None, emit_retry: bool = True) -> None:
        super().cancel(self.pool or pool, signal, emit_retry)

    def acknowledge(self) -> None:
        """At the end of a task that failed for good, its message is filed in the same step."""
        if not self._filed():
            super().acknowledge()

    def reject(self, requeue: bool = False) -> None:
        if requeue or not self._filed():
            super().reject(requeue)

    def mark_as_poison(self, evidence: str) -> None:
        """Ends a suspect whose own child died of it: dead letter, failure, signal, event."""
        ending = endings.Ending("poison", message=evidence)
        if self.ours:
            self._bury(ending)
        elif self.home is None:
            self.reject()  # RabbitMQ has a queue for it
        else:
            self._ending = ending
        self._is_poison = True
        self.on_failure(_info(WorkerLostError(f"{self.name} is poison: {evidence}")))

    def give_back(self, after: float = 0) -> None:
        """Puts the message back, uncounted: it has not run, and nothing is said of it."""
        state.task_ready(self)
        if self.ours:
            self.message.put_back(after)
            self.acknowledged = True
        elif self.copies:
            if self.message.copy_back(after):
                self.acknowledge()
            else:
                self.reject(requeue=True)  # RabbitMQ counts this as a return

    def _retry_worker_lost(self, exc: Any, exc_info: Any) -> bool:
        if self._is_poison:
            return False  # Celery asks for each lost child: this one has had its tries
        ending, self._ending = self._ending, None
        self._context._error = exc  # for the next try's note of this one
        sent = bool(super()._retry_worker_lost(exc, exc_info))
        self._ending = None if sent else ending
        return sent

    def _lost(self, error: BaseException) -> bool:
        """Whether a process died under the task, and not at our own hands."""
        if not self.ours or self._is_poison or self._already_revoked or self._already_cancelled:
            return False
        # In a thread sys.exit() ends no process: a failure like any other.
        in_child = self.worker_pid != os.getpid()
        lost = isinstance(error, (WorkerLostError, SystemExit, KeyboardInterrupt)) and in_child
        return lost and not self._success_was_stored()

    def _crashed(self, error: BaseException, exc_info: Any) -> None:
        """One crash against the message, which goes back as it is; none while we stop."""
        evidence = (
            f"child {self.worker_pid} of {self.hostname} on {gethostname()} died while it ran"
            f" {self.name}: {error}"
        )
        lost = WorkerLostError(evidence)
        if stopping() or self.worker_pid is None:  # None: it had not begun
            self.message.put_back()
        else:
            self.message.crashed(evidence, name=str(self.worker_pid))
            logger.warning(f"a crash is counted against {self.name}[{self.id}]: {evidence}")
        self.acknowledged = True
        state.task_ready(self)
        if self.store_errors:
            self.task.backend.mark_as_retry(self.id, lost, exc_info.traceback, self._context)
        self.send_event("task-retried", exception=repr(lost), traceback=exc_info.traceback)
        signals.task_retry.send(
            self.task, request=self._context, reason=Retry(exc=lost), einfo=exc_info
        )

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:
        if expired and getattr(self.task, "dead_letter_expired", False):
            self._ending = endings.Ending("expired", message=f"expired at {self.expires}")
        super()._announce_revoked(reason, terminated, signum, expired)

    def _ended(self, error: BaseException, exc_info: Any) -> endings.Ending | None:
        """How it ended for good; None where it did not, or where nobody is to be told."""
        if self._is_poison:
            return self._ending
        if self._already_revoked or self._already_cancelled:
            return None
        if self.home is None and not isinstance(error, ArgumentsDoNotFit):
            return None
        if isinstance(error, (WorkerLostError, SystemExit)) and self._success_was_stored():
            return None
        retries, most = self._context.retries, self.task.max_retries
        return endings.ending(exc_info, error, retries, most)

    def _filed(self) -> bool:
        """True where the message is settled by now: filed, or sent back as that failed."""
        ending, self._ending = self._ending, None
        if ending is None or self.acknowledged:
            return False
        if self.ours:
            self._bury(ending)
            return True
        try:
            self._keep(ending)
        except Exception:
            logger.exception(f"no dead letter of {self.name}[{self.id}]: its message goes back")
            super().reject(requeue=True)
            return True
        return False

    def _file_anyway(self) -> None:
        ending, self._ending = self._ending, None
        try:
            self._keep(ending)
        except Exception:
            logger.exception(f"no dead letter of {self.name}[{self.id}]: {self.body!r}")

    def _keep(self, ending: Any) -> None:
        """What cannot be settled as a dead letter. Raises where it could not be kept."""
        home = type(self).home
        if home is None:
            logger.error(f"{self.name}[{self.id}] is dropped: {ending}: {self.body!r}")
            return
        home(self, replace(ending, worker=str(self.hostname)))

    def _bury(self, ending: endings.Ending) -> None:
        self.message.dead_letter(
            ending.reason, replace(ending, worker=str(self.hostname)).as_json()
        )
        self.acknowledged = True  # settled: what follows in Celery must not settle it again

    def _failed(self, exc_info: Any) -> None:
        """A task's own MemoryError, told by its child. Stock raises it again: the worker ends."""
        state.task_ready(self)
        self.acknowledge()
        self.send_event(
            "task-failed", exception=repr(exc_info.exception), traceback=exc_info.traceback
        )


def stopping() -> bool:
    """Whether this worker has been told to stop."""
    # Celery's flags hold an exit code, which may be 0.
    flags: tuple[object, ...] = (state.should_stop, state.should_terminate)
    return any(flag is not None and flag is not False for flag in flags)


def _info(error: BaseException) -> Any:
    try:
        raise error
    except type(error):
        return einfo.ExceptionInfo()
