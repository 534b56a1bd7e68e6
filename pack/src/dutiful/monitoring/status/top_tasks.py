"""The tasks that took most of the fleet's time in the last day, in worker-seconds."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dutiful.monitoring.fleet.buckets import empty, from_labels, quantile
from dutiful.monitoring.models import TaskHour

MOST: Final = 7
COLUMNS: Final = (
    *("task", "queue", "succeeded", "failed", "crashed", "retried", "other"),
    *("run_seconds", "run_buckets", "wait_buckets"),
)


@dataclass
class Task:
    """Sums over a day, with times in seconds."""

    name: str
    queue: str
    runs: int = 0
    failed: int = 0
    retried: int = 0
    seconds: float = 0.0
    run: list[int] = field(default_factory=empty)
    wait: list[int] = field(default_factory=empty)

    def add(self, row: dict[str, Any]) -> None:
        """Adds a row of COLUMNS."""
        bad = row["failed"] + row["crashed"]
        self.runs += row["succeeded"] + row["retried"] + row["other"] + bad
        self.failed += bad
        self.retried += row["retried"]
        self.seconds += row["run_seconds"]
        for mine, its in ((self.run, row["run_buckets"]), (self.wait, row["wait_buckets"])):
            for i, count in enumerate(from_labels(its)):
                mine[i] += count

    def ran(self, share: float) -> float | None:
        return quantile(self.run, share)

    def waited(self, share: float) -> float | None:
        return quantile(self.wait, share)


@dataclass(frozen=True)
class Tasks:
    """`first` are the tasks that took most of `seconds`, the time of all `count` tasks."""

    first: list[Task]
    count: int
    seconds: float


def read() -> Tasks:
    """Raises django.db.Error."""
    found: dict[tuple[str, str], Task] = {}
    rows = TaskHour.objects.filter(at__gte=datetime.now(UTC) - timedelta(days=1))
    for row in rows.values(*COLUMNS).iterator():
        key = (row["task"], row["queue"])
        if key not in found:
            found[key] = Task(*key)
        found[key].add(row)
    ranked = sorted(found.values(), key=lambda task: -task.seconds)
    return Tasks(ranked[:MOST], len(ranked), sum(task.seconds for task in ranked))
