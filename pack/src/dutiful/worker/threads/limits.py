"""Time limits on threads: one thread watches all slots, whatever runs in them.

It looks at all running jobs, which are at most as many as the pool has slots, four times a second.
A heap of deadlines would cost every task more, though most tasks are done long before their limit.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from dutiful.worker.threads.job import Job

logger = logging.getLogger(__name__)
TICK_SECONDS: Final = 0.25
"""A limit is noticed at most this much late."""
MOST_STUCK: Final = 3
"""Slots that tasks past their hard limit may hold. With more, the worker drains and is replaced."""


class LimitWatcher(threading.Thread):
    """Raises soft limits; calls `give_up` with jobs that are past their hard limit or revoked."""

    def __init__(
        self, running: Callable[[], Iterable[Job]], give_up: Callable[[Job], None]
    ) -> None:
        super().__init__(name="time-limits", daemon=True)
        self._running, self._give_up = running, give_up
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            now = time.monotonic()
            for job in self._running():
                try:
                    self._check(job, now)
                except Exception:
                    logger.exception(
                        f"the time limit of {job.name}[{job.task_id}] could not be enforced; it is"
                        f" tried again in {TICK_SECONDS:g} s"
                    )

    def _check(self, job: Job, now: float) -> None:
        if job.began is None:
            return
        if job.revoked or now >= job.began + job.hard:
            self._give_up(job)
        elif not job.soft_raised and now >= job.began + job.soft:
            job.raise_soft_limit()

    def end(self) -> None:
        """Ends the thread, at its next check."""
        self._ended.set()
