"""What this process has counted and not sent yet. A run costs one append; sums come later."""

import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final

from dutiful.conf.queues import known as is_queue
from dutiful.monitoring.fleet.buckets import index
from dutiful.monitoring.fleet.store import GROWN, OTHER, PUBLISHES, Counts

Run = tuple[str, str, str, float | None, float | None, float | None, int | None, float | None]
"""Task, queue, outcome, seconds waited, seconds run, CPU seconds, database statements, seconds that
it waited for databases; None where it is not known."""
MOST_WAITING: Final = 200_000
"""Runs that wait to be added up. Beyond it the oldest are dropped, so memory is bounded."""
MOST_TASKS: Final = 500
"""Tasks (with a queue) that a process counts by name between two flushes."""


class Tally:
    """`append` from any thread; everything else by one thread at a time."""

    def __init__(self) -> None:
        self._runs: deque[Run] = deque(maxlen=MOST_WAITING)
        self.append = self._runs.append
        self._lock = threading.Lock()

    def take(self) -> dict[str, float]:
        """All that was counted, by field of the hash."""
        with self._lock:
            return _fields(self._add_up())

    def extend(self, runs: Iterable[Run]) -> None:
        self._runs.extend(runs)

    def _add_up(self) -> dict[tuple[str, str], Counts]:
        sums: dict[tuple[str, str], Counts] = defaultdict(Counts)
        known: dict[tuple[str, str], Counts] = {}
        for _ in range(len(self._runs)):
            task, queue, ended, wait, run, cpu, queries, database = self._runs.popleft()
            counts = known.get((task, queue))
            if counts is None:
                name = task.replace("|", "/") if len(known) < MOST_TASKS else OTHER
                counted = is_queue(queue) or queue == PUBLISHES
                counts = known[task, queue] = sums[name, queue if counted else OTHER]
            if ended == GROWN:  # no run: bytes, in the place of its seconds
                counts.grown += int(run or 0)
                continue
            counts.outcomes[ended] += 1
            if wait is not None:
                counts.wait[index(wait)] += 1
                counts.seconds["wait"] += wait
            if run is not None:
                counts.run[index(run)] += 1
                counts.seconds["run"] += run
            if cpu is not None:
                counts.seconds["cpu"] += cpu
            if queries:
                counts.queries += queries
            if database:
                counts.database += database
        return sums


def _fields(sums: dict[tuple[str, str], Counts]) -> dict[str, float]:
    """By field of the hash, as `store.read` understands it."""
    return {
        f"{task}|{queue}|{name}": number
        for (task, queue), counts in sums.items()
        for name, number in counts.numbers().items()
    }
