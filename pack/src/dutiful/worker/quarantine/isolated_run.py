"""One suspect's run in a child process, and how it ends.

It ends by the child's report, by a time limit, by the worker's stop, or by the child's death. The
caller that ends it first settles its message.
"""

import logging
import os
import signal
import threading
import time
from enum import Enum, auto
from typing import Final

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.utils.nodenames import gethostname

from dutiful.task.request import Request, stopping
from dutiful.worker.drain import current as drain
from dutiful.worker.quarantine import pipe_format
from dutiful.worker.quarantine.child_process import ChildProcess

logger = logging.getLogger(__name__)
START_SECONDS: Final = 60.0
"""Within this time the child must have begun to run the task."""
NOT_STARTED_SECONDS: Final = 30.0
"""A message whose child did not start is put back for this long: it is not to blame."""
OUTLIVED_SECONDS: Final = 1.0
"""The worker must outlive its child by this much: what kills a whole machine marks no poison."""
READ_SECONDS: Final = 0.5
"""Between two looks at a child that writes nothing."""


class Child(Enum):
    """What becomes of the child after a run."""

    KEEP = auto()
    """It has reported how the task ended, and lives."""
    REPLACE_AND_RETRY = auto()
    """It died or never began, and had run other tasks before: run it again in a fresh child."""
    REPLACE = auto()
    """It is dead or of no more use, and the message is settled."""


class IsolatedRun:
    """One run of one suspect."""

    def __init__(self, request: Request, include: tuple[str, ...]) -> None:
        self.request = request
        self._include = include
        self._process: ChildProcess | None = None
        self._ending = threading.Lock()
        self._ended = threading.Event()
        request.pool = self  # for Celery's revoke(terminate=True)
        # The transport's owner claims no other suspect while this one runs. RabbitMQ has none.
        self._owner = request.message.channel.owner if request.ours else None
        self._note_running(True)

    @property
    def ended(self) -> bool:
        """Whether a caller settles or has settled the message."""
        return self._ended.is_set()

    @property
    def exclusive(self) -> bool:
        """Whether no other suspect runs in the fleet, so that a fresh child's death marks poison.

        On RabbitMQ every isolated run counts as one: there is no other.
        """
        return not self.request.ours or bool(self.request.message.final_run)

    @property
    def needs_fresh_child(self) -> bool:
        """Whether a used child would only cost one more death.

        That is so in the exclusive run on our transport, and for a message that is acknowledged
        before it runs, of which nothing can be noted any more. On RabbitMQ a used child takes the
        place of the first isolated run.
        """
        return not self.request.task.acks_late or (self.request.ours and self.exclusive)

    @property
    def label(self) -> str:
        """The task's name and id, for the log."""
        return f"{self.request.name}[{self.request.id}]"

    def stop(self) -> None:
        """The worker stops: puts the message back, whatever the child does from here on."""
        self.give_back(0)

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Kills the child, as a pool's method of this name does. The caller settles the message."""
        self._end()
        self._kill()

    def give_back(self, after: float = NOT_STARTED_SECONDS) -> None:
        """Kills the child and puts the message back, uncounted."""
        if self._end():
            self.request.give_back(after)
        self._kill()

    def break_off(self) -> None:
        """Puts the message back after an error here, which may have come between end and settle."""
        self.give_back()
        if not self.request.acknowledged:
            self.request.give_back(NOT_STARTED_SECONDS)

    def run_in(self, process: ChildProcess) -> Child:
        """Runs the task there, to its end. Call it in the thread that started the process."""
        self._process = process
        # Checked after the process is known: a caller that ends the run from now on kills it.
        if self._ended.is_set():
            return Child.REPLACE
        fresh, began, soft_raised = not process.runs, 0.0, False
        request, given = self.request, time.monotonic()
        process.give(pipe_format.encode_job(request, self._include, os.getpid()), START_SECONDS)
        soft, hard = self._limits()
        while not self._ended.is_set():
            gone = process.ended  # checked first: what it wrote last is read after that
            for report in process.read_rest() if gone else process.read(READ_SECONDS):
                if "began" not in report:
                    if self._end():
                        request.on_success(pipe_format.decode_outcome(report))
                    return Child.KEEP
                began = time.monotonic()
                request.on_accepted(process.pid, began)
            now = time.monotonic()
            if gone:
                return self._died(process, bool(began), fresh)
            if not began and now - given > START_SECONDS:
                return self._not_begun(f"did not begin within {START_SECONDS:g} s", fresh)
            if began and hard and now - began >= hard:
                self._time_out(hard)
            elif began and soft and now - began >= soft and not soft_raised:
                soft_raised = True
                process.signal(signal.SIGUSR1)
                request.on_timeout(soft=True, timeout=soft)
        return Child.REPLACE

    def _limits(self) -> tuple[float | None, float | None]:
        """Returns the soft and the hard time limit in seconds: the message's, else the task's."""
        hard, soft = self.request.time_limits
        task = self.request.task
        return soft or task.soft_time_limit, hard or task.time_limit

    def _end(self) -> bool:
        """True for the first caller, which then settles the message."""
        with self._ending:
            first = not self.ended
            if first:
                self._note_running(False)
            self._ended.set()
            return first

    def _note_running(self, running: bool) -> None:
        if self._owner is not None:
            self._owner.isolates = running

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _died(self, process: ChildProcess, began: bool, fresh: bool) -> Child:
        """Decides what the death of a child means that has reported no outcome."""
        if not began:
            return self._not_begun(f"ended with {process.status} before it ran the task", fresh)
        if fresh or not self.exclusive:
            time.sleep(OUTLIVED_SECONDS)
        if stopping() or drain.begun():
            self.give_back(0)
        elif not self.exclusive:  # others may run beside it: this marks no poison
            if self._end():
                lost = WorkerLostError(
                    f"its child ended with {process.status} in its first isolated run"
                )
                self.request.on_failure(pipe_format.exception_info(lost))
        elif not fresh:
            logger.warning(
                f"isolated run of {self.label}: its child {process.pid} ended with"
                f" {process.status}. The child had run other tasks before, so this is not held"
                " against the message: it runs again in a fresh child"
            )
            return Child.REPLACE_AND_RETRY
        elif self._end():
            self.request.mark_as_poison(
                f"its own child {process.pid} on {gethostname()} ended with {process.status};"
                f" {self.request.message.crashes} crash(es) before"
            )
        return Child.REPLACE

    def _not_begun(self, why: str, fresh: bool) -> Child:
        if not fresh:
            return Child.REPLACE_AND_RETRY
        logger.error(
            f"isolated run of {self.label}: its child {why}. This is not held against the message,"
            f" which is put back for {NOT_STARTED_SECONDS:g} s"
        )
        self.give_back()
        return Child.REPLACE

    def _time_out(self, hard: float) -> None:
        """Ends the run at its hard limit; the task's retry policy decides, as in a pool."""
        self._kill()
        if self._end():
            self.request.on_failure(pipe_format.exception_info(TimeLimitExceeded(hard)))
            self.request.on_timeout(soft=False, timeout=hard)
