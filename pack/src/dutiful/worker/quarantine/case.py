"""One suspect and how its case ends: told by its child, timed out, stopped, on trial, convicted."""

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
from dutiful.worker.drain import drain
from dutiful.worker.quarantine import outcome as trial_outcome
from dutiful.worker.quarantine.process import TrialProcess

logger = logging.getLogger(__name__)
START_SECONDS: Final = 60.0
"""In which the child must have begun to run the task."""
NOT_STARTED_SECONDS: Final = 30.0
"""Until the next look at a message whose child did not come up: it is not to blame."""
OUTLIVED_SECONDS: Final = 1.0
"""The worker must outlive the child by this much: what kills a whole machine convicts nobody."""
LOOK_SECONDS: Final = 0.5
"""Between two looks at a child that says nothing."""


class End(Enum):
    """What a run says about its child."""

    TOLD = auto()
    """It has told its outcome, and lives."""
    AGAIN = auto()
    """It died or stood still, and had run others before: tried again in a fresh one."""
    OVER = auto()
    """It is of no use any more, and the message is settled."""


class Case:
    """One suspect. Whoever ends it first settles its message."""

    def __init__(self, request: Request, include: tuple[str, ...]) -> None:
        self.request = request
        self._include = include
        self._process: TrialProcess | None = None
        self._ending = threading.Lock()
        self._ended = threading.Event()
        request.pool = self  # for Celery's revoke(terminate=True)
        # Of the transport that has hearings; its claims are told, and bring no other meanwhile.
        self._owner = request.message.channel.owner if request.ours else None
        self._hears(True)

    @property
    def ended(self) -> bool:
        """Whether somebody settles or has settled the message."""
        return self._ended.is_set()

    @property
    def judged_at_once(self) -> bool:
        """In a used child it would only die once more before it is judged: it had its hearing, or
        is acknowledged before it runs, when nothing can be noted any more.

        RabbitMQ's have no hearing: a used child is one.
        """
        late = self.request.task.acks_late
        return bool(not late or (self.request.ours and self.request.message.final_run))

    @property
    def who(self) -> str:
        return f"{self.request.name}[{self.request.id}]"

    def stop(self) -> None:
        """The worker stops: the message goes back, whatever its child does from here on."""
        self.give_back(0)

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """As a pool's. The caller settles the message."""
        self._end()
        self._kill()

    def give_back(self, after: float = NOT_STARTED_SECONDS) -> None:
        """Uncounted, and its child ends."""
        if self._end():
            self.request.give_back(after)
        self._kill()

    def break_off(self) -> None:
        """Something here broke, perhaps after it was ended and before its message was settled."""
        self.give_back()
        if not self.request.acknowledged:
            self.request.give_back(NOT_STARTED_SECONDS)

    def run_in(self, process: TrialProcess) -> End:
        """Runs it there, to the end. From the thread that the process was started by."""
        self._process = process
        if (
            self._ended.is_set()
        ):  # asked after the process is known: who ends it from now on kills that
            return End.OVER
        fresh, began, soft_told = not process.runs, 0.0, False
        request, given = self.request, time.monotonic()
        process.give(trial_outcome.job_of(request, self._include, os.getpid()), START_SECONDS)
        soft, hard = self._limits()
        while not self._ended.is_set():
            gone = process.ended  # asked first: what it said last is read after that
            for said in process.rest() if gone else process.read(LOOK_SECONDS):
                if "began" not in said:
                    if self._end():
                        request.on_success(trial_outcome.heard(said))
                    return End.TOLD
                began = time.monotonic()
                request.on_accepted(process.pid, began)
            now = time.monotonic()
            if gone:
                return self._judge(process, bool(began), fresh)
            if not began and now - given > START_SECONDS:
                return self._not_begun(f"did not begin within {START_SECONDS:g} s", fresh)
            if began and hard and now - began >= hard:
                self._time_out(hard)
            elif began and soft and now - began >= soft and not soft_told:
                soft_told = True
                process.signal(signal.SIGUSR1)
                request.on_timeout(soft=True, timeout=soft)
        return End.OVER

    def _limits(self) -> tuple[float | None, float | None]:
        """Soft and hard time limit, in seconds: the message's own, else the task's."""
        hard, soft = self.request.time_limits
        task = self.request.task
        return soft or task.soft_time_limit, hard or task.time_limit

    def _end(self) -> bool:
        """Whoever asks first may settle the message."""
        with self._ending:
            first = not self.ended
            if first:
                self._hears(False)
            self._ended.set()
            return first

    def _hears(self, whether: bool) -> None:
        if self._owner is not None:
            self._owner.isolates = whether

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _judge(self, process: TrialProcess, began: bool, fresh: bool) -> End:
        """The child has ended without a word."""
        if not began:
            return self._not_begun(f"ended with {process.status} before it ran the task", fresh)
        hearing = self.request.ours and not self.request.message.final_run
        if fresh or hearing:
            time.sleep(OUTLIVED_SECONDS)
        if stopping() or drain.begun():
            self.give_back(0)
        elif hearing:  # others may have had theirs beside it: this convicts nobody
            if self._end():
                lost = WorkerLostError(f"in a hearing, its child ended with {process.status}")
                self.request.on_failure(trial_outcome.info_of(lost))
        elif not fresh:
            logger.warning(
                f"the trial of {self.who}: its child {process.pid} ended with {process.status};"
                " it had run others before, so nobody is convicted: tried again in a fresh one"
            )
            return End.AGAIN
        elif self._end():
            self.request.convict(
                f"its own child {process.pid} on {gethostname()} ended with {process.status};"
                f" {self.request.message.crashes} crash(es) before"
            )
        return End.OVER

    def _not_begun(self, why: str, fresh: bool) -> End:
        if not fresh:
            return End.AGAIN
        logger.error(f"{self.who}: its own child {why}. Nothing is held against the task")
        self.give_back()
        return End.OVER

    def _time_out(self, hard: float) -> None:
        """A timeout under the task's policy, told to Celery as a pool tells it."""
        self._kill()
        if self._end():
            self.request.on_failure(trial_outcome.info_of(TimeLimitExceeded(hard)))
            self.request.on_timeout(soft=False, timeout=hard)
