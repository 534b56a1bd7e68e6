"""What the worker writes for the probe: when its loop last turned, when its pool was last well.

A thread writes, so that a loop that stands still can be told from one that may: a solo worker runs
its task there, and without a broker Celery waits there for a connection.
"""

import contextlib
import logging
import os
import threading
import time
from typing import Any, Final

from celery.concurrency.solo import TaskPool as SoloPool
from celery.worker import state

from dutiful.worker.drain import current
from dutiful.worker.probe import record

logger = logging.getLogger(__name__)
EACH_SECONDS: Final = 1.0


class Beats(threading.Thread):
    """Of one worker, from its start until `end()`."""

    def __init__(self, worker: Any) -> None:
        super().__init__(name="probe-beats", daemon=True)
        self._worker = worker
        self._loop_at = self._pool_at = time.monotonic()
        self._begun_before = 0
        self._ended = threading.Event()
        self._writing = threading.Lock()

    def begin(self) -> None:
        """Main thread. A machine that refuses the folder costs the probe, not the worker."""
        try:
            record.prepare()
        except OSError as error:
            logger.warning(f"no record for the probe, which will call this worker dead: {error}")
            return
        # Celery's own timer: it outlives the loop's reconnections.
        self._worker.timer.call_repeatedly(EACH_SECONDS, self._turned)
        self.start()

    def end(self) -> None:
        """The record goes away with the process."""
        self._ended.set()
        with self._writing:
            record.remove()

    def _turned(self) -> None:
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
        waits = self._pool_waits()
        if not waits:
            self._pool_at = now
        excuse = self._excuse()
        return {
            "pid": os.getpid(),
            "born": record.born(os.getpid()),
            "name": self._worker.hostname,
            "written": now,
            "loop": self._loop_at,
            "excused": excuse,
            "pool": self._pool_at,
            "pool_says": waits,
            "says": excuse or f"alive, {len(state.active_requests)} tasks run",
        }

    def _excuse(self) -> str:
        """Why the loop may stand still, or ""."""
        if current.begun():
            return "stops; its grace ends it"
        if isinstance(self._worker.pool, SoloPool) and len(state.active_requests):
            return "alive, runs a task in its only thread"
        if getattr(self._worker.consumer, "connection", None) is None:
            return "alive, waits for the broker"
        return ""

    def _pool_waits(self) -> str:
        """What the pool should be doing and is not, or "" where all is well."""
        begun, self._begun_before = self._begun_before, state.all_total_count[0]
        if state.all_total_count[0] != begun or current.begun():
            return ""
        slots = getattr(self._worker.pool, "num_processes", None) or self._worker.concurrency
        with contextlib.suppress(RuntimeError):  # the loop added one meanwhile: next second
            active, waiting = _in_pool(state.active_requests), _in_pool(state.reserved_requests)
            if waiting > active and active < slots:
                return f"{waiting - active} tasks wait while {slots - active} slots are free"
        children = getattr(getattr(self._worker.pool, "_pool", None), "_pool", None)
        if children is not None and not any(_lives(child.pid) for child in list(children)):
            return "it has no child process"
        return ""


def _in_pool(requests: Any) -> int:
    """How many there are, but for a suspect: it runs in a child of its own, and takes no slot."""
    return sum(not getattr(each.message, "suspect", False) for each in list(requests))


def _lives(pid: int) -> bool:
    return bool(pid) and bool(record.born(pid))
