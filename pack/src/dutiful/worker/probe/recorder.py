"""Writes the record for the probe: when the loop last turned, when the pool last made progress.

A thread writes it, so that a loop that is stuck is distinguished from one that may stand still: a
solo worker runs its task in the loop, and without a broker Celery waits there for a connection.
"""

import contextlib
import logging
import os
import threading
import time
from typing import Any, Final

from celery.concurrency.solo import TaskPool as SoloPool
from celery.worker import state

from dutiful.worker.drain import current as drain
from dutiful.worker.probe import record

logger = logging.getLogger(__name__)
EACH_SECONDS: Final = 1.0
"""Between two records."""


class ProbeRecorder(threading.Thread):
    """Writes one worker's record, from its start until `end()`."""

    def __init__(self, worker: Any) -> None:
        super().__init__(name="probe-recorder", daemon=True)
        self._worker = worker
        self._loop_at = self._pool_at = time.monotonic()
        self._received_before = 0
        self._ended = threading.Event()
        self._writing = threading.Lock()

    def begin(self) -> None:
        """Starts the thread. Call it in the main thread.

        Where the folder cannot be made the worker runs, and the probe will call it dead.
        """
        try:
            record.prepare()
        except OSError as error:
            logger.warning(
                f"no record for the probe, which will call this worker dead: {error}. See"
                " `python -m dutiful docs liveness`"
            )
            return
        # Celery's own timer goes on when the loop is made anew after a lost connection.
        self._worker.timer.call_repeatedly(EACH_SECONDS, self._loop_turned)
        self.start()

    def end(self) -> None:
        """Removes the record, since the process ends."""
        self._ended.set()
        with self._writing:
            record.remove()

    def _loop_turned(self) -> None:
        self._loop_at = time.monotonic()

    def run(self) -> None:
        failing = False
        while not self._ended.is_set():
            try:
                with self._writing:
                    if not self._ended.is_set():
                        record.write(self._facts())
                failing = False
            except OSError as error:
                if not failing:
                    logger.warning(f"the record for the probe cannot be written: {error}")
                failing = True
            self._ended.wait(EACH_SECONDS)

    def _facts(self) -> dict[str, Any]:
        now = time.monotonic()
        problem = self._pool_problem()
        if not problem:
            self._pool_at = now
        excuse = self._loop_excuse()
        return {
            "pid": os.getpid(),
            "process": record.process_identity(os.getpid()),
            "name": self._worker.hostname,
            "written": now,
            "loop": self._loop_at,
            "loop_excused": bool(excuse),
            "pool": self._pool_at,
            "pool_problem": problem,
            "status": excuse or f"alive, {len(state.active_requests)} tasks run",
        }

    def _loop_excuse(self) -> str:
        """Returns the worker's status where its loop may stand still; else ""."""
        if drain.begun():
            return "stops, within its grace"
        if isinstance(self._worker.pool, SoloPool) and len(state.active_requests):
            return "alive, runs a task in its only thread"
        if getattr(self._worker.consumer, "connection", None) is None:
            return "alive, waits for the broker"
        return ""

    def _pool_problem(self) -> str:
        """Returns what the pool should be doing and is not; "" if it makes progress."""
        received, self._received_before = self._received_before, state.all_total_count[0]
        if state.all_total_count[0] != received or drain.begun():
            return ""
        slots = getattr(self._worker.pool, "num_processes", None) or self._worker.concurrency
        with contextlib.suppress(RuntimeError):  # the loop added a request: check in a second
            active, waiting = _in_pool(state.active_requests), _in_pool(state.reserved_requests)
            if waiting > active and active < slots:
                return f"{waiting - active} tasks wait while {slots - active} slots are free"
        children = getattr(getattr(self._worker.pool, "_pool", None), "_pool", None)
        if children is not None and not any(_lives(child.pid) for child in list(children)):
            return "it has no child process"
        return ""


def _in_pool(requests: Any) -> int:
    """Counts the requests, without a suspect: it runs in a child of its own and takes no slot."""
    return sum(not getattr(each.message, "suspect", False) for each in list(requests))


def _lives(pid: int) -> bool:
    return bool(pid) and bool(record.process_identity(pid))
