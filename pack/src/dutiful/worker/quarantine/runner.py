"""A suspect runs in a child of its own, while the worker goes on claiming and running.

A message that two processes died with is a suspect. It has a hearing: it runs in a spawned child,
so that nothing else can die of it. Each worker gives one hearing at a time, and a child that dies
there convicts nobody, since another's memory may have killed it. It puts the message on trial: of
these the transport hands out one at a time, fleet-wide, and one is convicted if a fresh child dies
of it by itself while this worker lives and is not stopping. Any other end is the task's own.

After a bad hour most suspects are innocent, and wait in line. So the child of one that lived is
kept for the next, which saves its start of some seconds.
"""

import logging
import threading
from queue import Empty, SimpleQueue
from typing import Final

from dutiful.task.request import Request
from dutiful.worker.drain import current
from dutiful.worker.quarantine.child_process import TrialProcess
from dutiful.worker.quarantine.isolated_run import Case, End

logger = logging.getLogger(__name__)
WARM_SECONDS: Final = 10.0
"""How long a child whose suspect lived waits for another one."""
LEAVES_SECONDS: Final = 5.0
"""For a child to end by itself once it has told its outcome."""
BUSY_SECONDS: Final = 1.0
"""Until the next hearing of a message that came while another one had its own here."""

_lock = threading.Lock()
_court: "Court | None" = None
_stopped = False


def start(request: Request, include: tuple[str, ...] = ()) -> None:
    """Runs the request, in place of the pool. Returns at once; from the event loop.

    `include` are the task modules that the worker has loaded.
    """
    global _court
    with _lock:
        court = _court if _court is not None and _court.is_alive() else None
        if _stopped or current.begun() or (court is not None and court.busy):
            request.give_back(after=BUSY_SECONDS)
            return
        if court is None:
            court = _court = Court()
            court.start()
        court.hear(Case(request, include))


def stop() -> None:
    """Kills the child and puts its message back, uncounted. No trial begins after this.

    From any thread, idempotent, returns at once; call it before the owner is closed.
    """
    global _stopped
    with _lock:
        _stopped = True
        court = _court
    if court is not None:
        court.stop()


class Court(threading.Thread):
    """Tries one case after the other, while they come. A child ends with the thread it is of."""

    def __init__(self) -> None:
        super().__init__(name="trial", daemon=True)
        self._cases: SimpleQueue[Case | None] = SimpleQueue()
        self._case: Case | None = None
        self._child: TrialProcess | None = None

    @property
    def busy(self) -> bool:
        """Whether a case is under way whose message is not settled."""
        return self._case is not None and not self._case.ended

    def hear(self, case: Case) -> None:
        self._case = case
        self._cases.put(case)

    def stop(self) -> None:
        if self._case is not None:
            self._case.stop()
        self._cases.put(None)
        if (child := self._child) is not None:
            child.kill()

    def run(self) -> None:
        while (case := self._next()) is not None:
            try:
                self._try(case)
            except Exception:  # a fork, what the child said, any result backend: it must go back
                logger.exception(f"the case of {case.who} broke; its message goes back")
                self._dismiss(0)
                case.break_off()
        self._dismiss(LEAVES_SECONDS)

    def _next(self) -> Case | None:
        global _court
        try:
            return self._cases.get(timeout=WARM_SECONDS)
        except Empty:
            with _lock:
                if not self._cases.empty():
                    return self._cases.get()
                _court = None
            return None

    def _try(self, case: Case) -> None:
        if case.judged_at_once and self._child is not None:
            self._dismiss(LEAVES_SECONDS)
        end = End.AGAIN
        while end is End.AGAIN:  # a fresh child never ends like this
            if self._child is None:
                self._child = TrialProcess()
            end = case.run_in(self._child)
            if end is not End.TOLD:
                self._dismiss(0)
            elif not self._child.fit:
                self._dismiss(LEAVES_SECONDS)

    def _dismiss(self, seconds: float) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close(seconds)
