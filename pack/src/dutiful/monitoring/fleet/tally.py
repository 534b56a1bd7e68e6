"""What this process has counted and not told yet. A task costs it an append; sums come later."""

import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final

from dutiful.conf.queues import names
from dutiful.monitoring.fleet.buckets import index
from dutiful.monitoring.fleet.store import DATABASE, GROWN, OTHER, PUBLISHES, Counts

Run = tuple[str, str, str, float | None, float | None, float | None, int | None, float | None]
"""Task, queue, outcome, seconds waited, run, of CPU, statements that it sent to databases, seconds
that it waited for their answers; None where nobody knows."""
MOST_WAITING: Final = 200_000
"""Runs that wait to be added up; the oldest make room, so that memory is bounded."""
KNOWN: Final = {*names(), PUBLISHES}
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
                counts = known[task, queue] = sums[name, queue if queue in KNOWN else OTHER]
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
    """What is not zero, as `store.read` understands it."""
    numbers: dict[str, float] = {}
    for (task, queue), counts in sums.items():
        start = f"{task}|{queue}|"
        numbers[f"{start}{GROWN}|bytes"] = counts.grown
        numbers[f"{start}{DATABASE}|queries"] = counts.queries
        numbers[f"{start}{DATABASE}|seconds"] = counts.database
        numbers.update({f"{start}outcome|{name}": by for name, by in counts.outcomes.items()})
        numbers.update({f"{start}seconds|{name}": by for name, by in counts.seconds.items()})
        numbers.update({f"{start}wait|{i}": by for i, by in enumerate(counts.wait)})
        numbers.update({f"{start}run|{i}": by for i, by in enumerate(counts.run)})
    return {name: by for name, by in numbers.items() if by}
