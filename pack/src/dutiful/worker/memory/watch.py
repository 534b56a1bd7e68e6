"""The watch over a worker's memory, in its main process, with any pool.

Threads: past the profile's limit the worker drains and is replaced, and the log names the task that
grew it. prefork: the pool replaces its children itself (dutiful/worker/memory/child.py names why).
The last reading is kept with the worker's lease: one that the system kills says nothing any more,
and whoever reaps it can tell how much it used.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from celery.worker import state

from dutiful.transport.redis.owner import owners
from dutiful.worker import replace
from dutiful.worker.memory import memory
from dutiful.worker.memory.growth import Growth, Suspect
from dutiful.worker.threads.pool import TaskPool

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
NOTE_SECONDS: Final = 5
"""Between two readings that go to the lease."""
PATIENCE: Final = 3
"""Readings past the limit, one after another, until the worker acts: a peak may pass."""
ROOM: Final = 0.9
"""A worker that needs more than this of its limit to start is not held to it."""

listeners: list[Callable[[list[Suspect]], None]] = []
"""Called with the tasks that kept the most in a pool of threads, each time they are reckoned."""
SUSPECTS: Final = 5
_watch: "Watch | None" = None


def start(sender: Any, **_: Any) -> None:
    """Celery's `worker_ready`, which comes again after each reconnect."""
    global _watch
    if _watch is None:
        worker = sender.controller
        _watch = Watch(worker, memory.allowed(worker.profile.memory))
        _watch.start()


class Watch(threading.Thread):
    """Reads the memory of `worker`; `limit` in bytes holds for a pool of threads."""

    def __init__(self, worker: Any, limit: int) -> None:
        super().__init__(name="memory-watch", daemon=True)
        self.worker, self.limit = worker, limit
        self.growth = Growth(memory.used())
        self.pool = worker.pool if isinstance(worker.pool, TaskPool) else None
        self._over = 0
        self._ended = threading.Event()

    def run(self) -> None:
        if self.pool is not None:
            self.pool.after_task = self.growth.ended
            if self.growth.start > ROOM * self.limit:
                logger.error(
                    f"the worker needs {memory.shown(self.growth.start)} to start and may use"
                    f" {memory.shown(self.limit)}: no limit is kept. Raise the memory of profile"
                    f" {self.worker.profile.name}, or the container's."
                )
                self.limit = 0
        looks = 0
        while not self._ended.wait(EVERY_SECONDS):
            if self.pool is not None:
                self._look(self.pool)
            looks += 1
            if looks % NOTE_SECONDS == 0:
                self._note()

    def end(self) -> None:
        self._ended.set()

    def _look(self, pool: TaskPool) -> None:
        used = memory.used()
        jobs = [*pool.running(), *pool.stuck()]
        self.growth.look(used, [(job.name, job.native_id) for job in jobs])
        self._over = self._over + 1 if self.limit and used > self.limit else 0
        if self._over < PATIENCE:
            return
        self._over = 0
        memory.give_back()
        used = memory.used()
        if used > self.limit:
            replace.begin(
                f"{memory.shown(used)} are past the {memory.shown(self.limit)} of profile"
                f" {self.worker.profile.name}; {self.growth.told()}."
                " See 'A task leaks memory' in `python -m dutiful docs runbook`"
            )

    def _note(self) -> None:
        found = owners()
        if not found:
            return
        used, task = self._threads() if self.pool else self._children()
        for owner in found:
            owner.note(memory=used, task=task)

    def _threads(self) -> tuple[int, str | None]:
        """Bytes, and the task that kept the most."""
        suspects = self.growth.suspects(SUSPECTS)
        for listener in listeners:
            listener(suspects)
        return memory.used(), suspects[0].task if suspects else None

    def _children(self) -> tuple[int, str | None]:
        """Bytes of all processes, and what runs in the largest. Shared pages count in each."""
        processes = getattr(getattr(self.worker.pool, "_pool", None), "_pool", ())
        sizes = {child.pid: memory.used(child.pid) for child in list(processes)}
        largest = max(sizes, key=lambda pid: sizes[pid], default=None)
        names = [
            request.name
            for request in state.requests.copy().values()
            if request.worker_pid == largest
        ]
        return memory.used() + sum(sizes.values()), names[0] if names else None
