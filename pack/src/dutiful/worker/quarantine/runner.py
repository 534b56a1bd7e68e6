"""The thread that runs suspects in child processes, while the worker goes on with other tasks."""

import logging
import threading
from queue import Empty, SimpleQueue
from typing import Final

from dutiful.task.request import Request
from dutiful.worker.drain import current as drain
from dutiful.worker.quarantine.child_process import ChildProcess
from dutiful.worker.quarantine.isolated_run import Child, IsolatedRun

logger = logging.getLogger(__name__)
WARM_SECONDS: Final = 10.0
"""How long a child whose suspect lived waits for another one."""
LEAVE_SECONDS: Final = 5.0
"""How long a child may take to end by itself."""
BUSY_SECONDS: Final = 1.0
"""A suspect that arrives while another one runs here is put back for this long."""

_lock = threading.Lock()
_runner: "IsolatedRunner | None" = None
_stopped = False


def start(request: Request, include: tuple[str, ...] = ()) -> None:
    """Runs the request in a child of its own, in place of the pool.

    It is called in the event loop and returns at once. `include` are the task modules that the
    worker has loaded. While another suspect runs here, or the worker stops, it puts the message
    back.
    """
    global _runner
    with _lock:
        runner = _runner if _runner is not None and _runner.is_alive() else None
        if _stopped or drain.begun() or (runner is not None and runner.busy):
            request.give_back(after=BUSY_SECONDS)
            return
        if runner is None:
            runner = _runner = IsolatedRunner()
            runner.start()
        runner.put(IsolatedRun(request, include))


def stop() -> None:
    """Kills the child and puts its message back, uncounted. No run begins after this.

    It may be called from any thread and more than once, and returns at once. Call it before the
    owner of the messages is closed.
    """
    global _stopped
    with _lock:
        _stopped = True
        runner = _runner
    if runner is not None:
        runner.stop()


class IsolatedRunner(threading.Thread):
    """Makes one run after the other and ends when none has come for WARM_SECONDS.

    A child dies with the thread that started it (Linux), so it is this thread that starts them.
    """

    def __init__(self) -> None:
        super().__init__(name="quarantine", daemon=True)
        self._runs: SimpleQueue[IsolatedRun | None] = SimpleQueue()
        self._run: IsolatedRun | None = None
        self._child: ChildProcess | None = None

    @property
    def busy(self) -> bool:
        """Whether a run is under way whose message is not settled."""
        return self._run is not None and not self._run.ended

    def put(self, run: IsolatedRun) -> None:
        """Makes this run the next one."""
        self._run = run
        self._runs.put(run)

    def stop(self) -> None:
        """Kills the child and puts its message back. Returns at once."""
        if self._run is not None:
            self._run.stop()
        self._runs.put(None)
        if (child := self._child) is not None:
            child.kill()

    def run(self) -> None:
        while (run := self._next()) is not None:
            try:
                self._make(run)
            except Exception:  # fork, the child's output, any result backend: it must be put back
                logger.exception(f"the isolated run of {run.label} failed; its message is put back")
                self._end_child(0)
                run.break_off()
        self._end_child(LEAVE_SECONDS)

    def _next(self) -> IsolatedRun | None:
        global _runner
        try:
            return self._runs.get(timeout=WARM_SECONDS)
        except Empty:
            with _lock:
                if not self._runs.empty():
                    return self._runs.get()
                _runner = None
            return None

    def _make(self, run: IsolatedRun) -> None:
        if run.needs_fresh_child and self._child is not None:
            self._end_child(LEAVE_SECONDS)
        after = Child.REPLACE_AND_RETRY
        while after is Child.REPLACE_AND_RETRY:  # a fresh child never leads to this
            if self._child is None:
                self._child = ChildProcess()
            after = run.run_in(self._child)
            if after is not Child.KEEP:
                self._end_child(0)
            elif not self._child.reusable:
                self._end_child(LEAVE_SECONDS)

    def _end_child(self, seconds: float) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close(seconds)
