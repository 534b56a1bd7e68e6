"""Time limits on threads: one watcher for all slots, whatever runs in them.

It looks at what runs, at most the pool's slots, some times a second. That costs less than a heap
of deadlines, which every task would pay for: most are long done when their limit comes.
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
"""Slots held by tasks past their hard limit. With more, the worker drains and is replaced."""


class Watcher(threading.Thread):
    """Raises soft limits; hands tasks that are past their hard one, or revoked, to `give_up`."""

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
                    self._look(job, now)
                except Exception:
                    logger.exception(f"{job.name}[{job.task_id}]: its time limit is not kept")

    def _look(self, job: Job, now: float) -> None:
        if job.began is None:
            return
        if job.unwanted or now >= job.began + job.hard:
            self._give_up(job)
        elif not job.soft_told and now >= job.began + job.soft:
            job.tell_soft()

    def end(self) -> None:
        self._ended.set()
