"""A message that a worker holds, and how it is settled, in the worker's main process.

Stock Celery fails a task at its hard limit, whatever its retry policy says, and publishes it again
when its child is killed. Here a hard limit is retried. A killed child counts a crash against the
message, which is requeued unchanged. A task that fails for good becomes a dead letter.
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
    """Celery's request, which receives the callbacks of the pool."""

    acknowledged: bool
    _tries_again = False
    _is_poison = False
    _ending: endings.Ending | None = None
    """How the task ended; set from the moment that is known until the message is settled."""
    pool: Any = None
    """What runs the task instead of the worker's pool: an isolated run of a suspect."""
    save_dead_letter: ClassVar[Any] = None
    """Saves a dead letter that the broker cannot take, or raises an error (dutiful.deadletters).
    It takes the request and the ending. If it is None, failures are only logged, as in Celery."""

    @property
    def ours(self) -> bool:
        """Whether the pack's Redis transport brought the message, and it is not settled yet."""
        return isinstance(self.message, Message) and not self.acknowledged

    @property
    def can_requeue_copy(self) -> bool:
        """Whether RabbitMQ can requeue a copy (dutiful/transport/rabbitmq/deliveries.py)."""
        return hasattr(self.message, "copy_back") and not self.acknowledged

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """Runs in the main process. The pool reports a hard limit here before on_timeout."""
        error = exc_info.exception
        if isinstance(error, _WITH_TRACEBACK):
            error = error.exc
        left = self._context.retries < (self.task.max_retries or 0)
        if isinstance(error, TimeLimitExceeded) and left and not state.should_terminate:
            # Celery's republish for a lost child: the same message with retries + 1.
            self._tries_again = self._retry_worker_lost(error, exc_info)
            if self._tries_again or self.ours:
                self._tries_again = True
                self.give_back()  # if the next attempt could not be published
                return
        if self._lost(error):
            self._crashed(error, exc_info)
            return
        if isinstance(error, Interrupted) and (
            self.can_requeue_copy or (self.ours and not error.to_tail)
        ):
            self.give_back()
            return
        self._ending = self._ended(error, exc_info)
        if self.acknowledged and self._ending:
            self._save_acknowledged()  # acks_late=False: acknowledged before it ran
        if isinstance(error, MemoryError) and return_ok:
            self._failed(exc_info)
            return
        super().on_failure(exc_info, send_failed_event, return_ok)
        if self.ours:
            # Cancelled. Celery leaves the message to the broker, which keeps it for a live worker.
            self.message.put_back()
            self.acknowledged = True

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Called in the main process, before the pool kills the child."""
        if soft or not self._tries_again:
            super().on_timeout(soft, timeout)

    def terminate(self, pool: Any, signal: Any = None) -> None:
        """Celery's revoke(terminate=True)."""
        super().terminate(self.pool or pool, signal)

    def cancel(self, pool: Any, signal: Any = None, emit_retry: bool = True) -> None:
        super().cancel(self.pool or pool, signal, emit_retry)

    def acknowledge(self) -> None:
        """As Celery's. The message of a task that failed for good becomes a dead letter."""
        if not self._dead_lettered():
            super().acknowledge()

    def reject(self, requeue: bool = False) -> None:
        if requeue or not self._dead_lettered():
            super().reject(requeue)

    def mark_as_poison(self, evidence: str) -> None:
        """Ends a suspect that killed its own child: a dead letter, failure, signal and event."""
        ending = endings.Ending("poison", message=evidence)
        if self.ours:
            self._dead_letter(ending)
        elif self.save_dead_letter is None:
            self.reject()  # RabbitMQ has a queue of dead letters
        else:
            self._ending = ending
        self._is_poison = True
        self.on_failure(_info(WorkerLostError(f"{self.name} is poison: {evidence}")))

    def give_back(self, after: float = 0) -> None:
        """Requeues the message after `after` seconds. This is no attempt and is not reported."""
        state.task_ready(self)
        if self.ours:
            self.message.put_back(after)
            self.acknowledged = True
        elif self.can_requeue_copy:
            if self.message.copy_back(after):
                self.acknowledge()
            else:
                self.reject(requeue=True)  # RabbitMQ counts this as a return

    def _retry_worker_lost(self, exc: Any, exc_info: Any) -> bool:
        if self._is_poison:
            return False  # Celery asks for each lost child; this message is not to run again
        ending, self._ending = self._ending, None
        self._context._error = exc  # for the note of this attempt in the next one's message
        sent = bool(super()._retry_worker_lost(exc, exc_info))
        self._ending = None if sent else ending
        return sent

    def _lost(self, error: BaseException) -> bool:
        """Whether the child that ran the task died, and this worker did not kill it."""
        if not self.ours or self._is_poison or self._already_revoked or self._already_cancelled:
            return False
        # In a thread sys.exit() ends no process, so there it is an ordinary failure.
        in_child = self.worker_pid != os.getpid()
        lost = isinstance(error, (WorkerLostError, SystemExit, KeyboardInterrupt)) and in_child
        return lost and not self._success_was_stored()

    def _crashed(self, error: BaseException, exc_info: Any) -> None:
        """Requeues the message unchanged, and counts a crash unless this worker is stopping."""
        evidence = (
            f"child {self.worker_pid} of {self.hostname} on {gethostname()} died while it ran"
            f" {self.name}: {error}"
        )
        lost = WorkerLostError(evidence)
        if stopping() or self.worker_pid is None:  # None: the task had not begun
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
        """How the task ended for good; None if it did not, or if no dead letter is wanted."""
        if self._is_poison:
            return self._ending
        if self._already_revoked or self._already_cancelled:
            return None
        if self.save_dead_letter is None and not isinstance(error, ArgumentsDoNotFit):
            return None
        if isinstance(error, (WorkerLostError, SystemExit)) and self._success_was_stored():
            return None
        retries, most = self._context.retries, self.task.max_retries
        return endings.ending_of(exc_info, error, retries, most)

    def _dead_lettered(self) -> bool:
        """Whether the message is settled: as a dead letter, or requeued since that failed."""
        ending, self._ending = self._ending, None
        if ending is None or self.acknowledged:
            return False
        if self.ours:
            self._dead_letter(ending)
            return True
        try:
            self._save(ending)
        except Exception:
            logger.exception(f"no dead letter of {self.name}[{self.id}]: it is requeued")
            super().reject(requeue=True)
            return True
        return False

    def _save_acknowledged(self) -> None:
        ending, self._ending = self._ending, None
        try:
            self._save(ending)
        except Exception:
            logger.exception(f"no dead letter of {self.name}[{self.id}]: {self.body!r}")

    def _save(self, ending: Any) -> None:
        """Saves a dead letter that the broker cannot take. Raises an error if that fails."""
        save = type(self).save_dead_letter
        if save is None:
            logger.error(f"{self.name}[{self.id}] is dropped: {ending}: {self.body!r}")
            return
        save(self, replace(ending, worker=str(self.hostname)))

    def _dead_letter(self, ending: endings.Ending) -> None:
        self.message.dead_letter(
            ending.reason, replace(ending, worker=str(self.hostname)).as_json()
        )
        self.acknowledged = True  # settled; Celery must not settle it again

    def _failed(self, exc_info: Any) -> None:
        """Fails a task that raised MemoryError, without raising it again in the worker."""
        state.task_ready(self)
        self.acknowledge()
        self.send_event(
            "task-failed", exception=repr(exc_info.exception), traceback=exc_info.traceback
        )


def stopping() -> bool:
    """Whether this worker is stopping."""
    # Celery's flags hold an exit code, which may be 0.
    flags: tuple[object, ...] = (state.should_stop, state.should_terminate)
    return any(flag is not None and flag is not False for flag in flags)


def _info(error: BaseException) -> Any:
    try:
        raise error
    except type(error):
        return einfo.ExceptionInfo()
