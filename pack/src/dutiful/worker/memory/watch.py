"""A thread of the worker's main process that watches its memory, with any pool.

With threads: past the profile's limit the worker drains and is replaced, and the log names the task
that grew it. With prefork the pool replaces its children itself (`child` logs why). The last
reading is kept with the worker's lease, since a worker that the kernel kills can log nothing any
more: the worker that reaps its lease logs how much memory it used.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from celery.worker import state

from dutiful.transport.redis.owner import owners
from dutiful.worker import replace
from dutiful.worker.memory import usage
from dutiful.worker.memory.growth import Grower, Growth
from dutiful.worker.threads.pool import TaskPool

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
"""Between two readings."""
NOTE_SECONDS: Final = 5
"""Between two readings that are kept with the lease."""
PATIENCE: Final = 3
"""Readings in a row past the limit before the worker acts, since a peak may pass."""
START_SHARE: Final = 0.9
"""A worker that needs more than this share of its limit to start keeps no limit."""

listeners: list[Callable[[list[Grower]], None]] = []
"""Called with the tasks that kept the most, each time they are estimated in a pool of threads."""
MOST_GROWERS: Final = 5
"""Tasks that listeners are called with."""
_watch: "MemoryWatch | None" = None


def start(sender: Any, **_: Any) -> None:
    """Handles Celery's `worker_ready`, which is sent again after each reconnect."""
    global _watch
    if _watch is None:
        worker = sender.controller
        _watch = MemoryWatch(worker, usage.allowed(worker.profile.memory))
        _watch.start()


class MemoryWatch(threading.Thread):
    """Reads the memory of `worker`. `limit`, in bytes, is that of a pool of threads."""

    def __init__(self, worker: Any, limit: int) -> None:
        super().__init__(name="memory-watch", daemon=True)
        self.worker, self.limit = worker, limit
        self.growth = Growth(usage.used())
        self.pool = worker.pool if isinstance(worker.pool, TaskPool) else None
        self._over = 0
        self._ended = threading.Event()

    def run(self) -> None:
        if self.pool is not None:
            self.pool.after_task = self.growth.task_ended
            if self.growth.start > START_SHARE * self.limit:
                logger.error(
                    f"the worker needs {usage.as_mb(self.growth.start)} to start and may use"
                    f" {usage.as_mb(self.limit)}: no limit is kept. Raise the memory of profile"
                    f" {self.worker.profile.name}, or the container's."
                )
                self.limit = 0
        readings = 0
        while not self._ended.wait(EVERY_SECONDS):
            if self.pool is not None:
                self._check(self.pool)
            readings += 1
            if readings % NOTE_SECONDS == 0:
                self._keep_with_lease()

    def end(self) -> None:
        """Ends the thread, at its next reading."""
        self._ended.set()

    def _check(self, pool: TaskPool) -> None:
        used = usage.used()
        jobs = [*pool.running(), *pool.stuck()]
        self.growth.sample(used, [(job.name, job.native_id) for job in jobs])
        self._over = self._over + 1 if self.limit and used > self.limit else 0
        if self._over < PATIENCE:
            return
        self._over = 0
        usage.release_free()
        used = usage.used()
        if used > self.limit:
            replace.begin(
                f"{usage.as_mb(used)} are past the {usage.as_mb(self.limit)} of profile"
                f" {self.worker.profile.name}; {self.growth.summary()}."
                " See 'A task leaks memory' in `python -m dutiful docs runbook`"
            )

    def _keep_with_lease(self) -> None:
        found = owners()
        if not found:
            return
        used, task = self._threads() if self.pool else self._children()
        for owner in found:
            owner.note(memory=used, task=task)

    def _threads(self) -> tuple[int, str | None]:
        """Returns the bytes used and the task that kept the most."""
        growers = self.growth.growers(MOST_GROWERS)
        for listener in listeners:
            listener(growers)
        return usage.used(), growers[0].task if growers else None

    def _children(self) -> tuple[int, str | None]:
        """Returns the bytes of all processes, and the task that runs in the largest.

        Shared pages count in each process.
        """
        processes = getattr(getattr(self.worker.pool, "_pool", None), "_pool", ())
        sizes = {child.pid: usage.used(child.pid) for child in list(processes)}
        largest = max(sizes, key=lambda pid: sizes[pid], default=None)
        names = [
            request.name
            for request in state.requests.copy().values()
            if request.worker_pid == largest
        ]
        return usage.used() + sum(sizes.values()), names[0] if names else None
