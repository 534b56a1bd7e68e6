"""What each task costs: how long its runs wait, run, compute and use the database.

The figures come from the hourly history and from the counters since its last minute.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from dutiful.monitoring.fleet.buckets import from_labels, quantile
from dutiful.monitoring.fleet.store import OUTCOMES, SUMS, Counts, Fleet, read
from dutiful.monitoring.history import deltas
from dutiful.monitoring.link import LOST, Link, shared_url
from dutiful.monitoring.models import Baseline, TaskHour

DAY: Final = 86400.0


@dataclass
class Cost:
    """One task on one queue (on all of them where `queue` is ""). Times in seconds."""

    task: str
    queue: str
    counts: Counts = field(default_factory=Counts)

    @property
    def runs(self) -> int:
        return self.counts.runs

    @property
    def seconds(self) -> float:
        """Seconds that workers' slots were busy with it."""
        return self.counts.seconds["run"]

    @property
    def cpu_share(self) -> float | None:
        """The share of its run time, 0 to 1, in which its thread computed. None where none ran."""
        return min(1.0, self.counts.seconds["cpu"] / self.seconds) if self.seconds else None

    @property
    def cpu_each(self) -> float:
        """Seconds of CPU time a run."""
        timed = sum(self.counts.run)
        return self.counts.seconds["cpu"] / timed if timed else 0.0

    @property
    def queries_each(self) -> float:
        """Database statements a run, over the runs that were timed."""
        timed = sum(self.counts.run)
        return self.counts.queries / timed if timed else 0.0

    @property
    def database_share(self) -> float | None:
        """The share of its run time, 0 to 1, that it waited for databases. None where none ran."""
        return min(1.0, self.counts.database / self.seconds) if self.seconds else None

    def waited(self, share: float) -> float | None:
        """Seconds within which this share of its runs (0.95) started."""
        return quantile(self.counts.wait, share)

    def ran(self, share: float) -> float | None:
        """Seconds within which this share of its runs ended."""
        return quantile(self.counts.run, share)

    def add(self, more: Counts) -> None:
        mine = self.counts
        for name in OUTCOMES:
            mine.outcomes[name] += more.outcomes[name]
        for name in SUMS:
            mine.seconds[name] += more.seconds[name]
        mine.grown += more.grown
        mine.queries += more.queries
        mine.database += more.database
        for total, counts in ((mine.wait, more.wait), (mine.run, more.run)):
            for i, count in enumerate(counts):
                total[i] += count


@dataclass(frozen=True)
class Costs:
    """The costs of all tasks, the most expensive first, over `covered` seconds."""

    each: list[Cost]
    covered: float

    @property
    def seconds(self) -> float:
        return sum(cost.seconds for cost in self.each)

    def a_day(self, cost: Cost) -> float:
        """Worker-seconds a day."""
        return cost.seconds / self.covered * DAY

    def grown_a_day(self, cost: Cost) -> float:
        """Bytes a day by which its runs made their processes grow."""
        return cost.counts.grown / self.covered * DAY

    def share(self, cost: Cost) -> float:
        """Its share of all worker-seconds of the fleet, 0 to 1."""
        return cost.seconds / self.seconds if self.seconds else 0.0

    def by_task(self) -> list[Cost]:
        """The cost of each task, its queues added up."""
        found: dict[str, Cost] = {}
        for cost in self.each:
            found.setdefault(cost.task, Cost(cost.task, "")).add(cost.counts)
        return list(found.values())


def measured(days: float = 1, fleet: Fleet | None = None) -> Costs:
    """Costs of the last `days`, or of as much history as there is; `fleet` adds what is newer.

    Raises django.db.Error.
    """
    now = datetime.now(UTC)
    first, rows = now, TaskHour.objects.filter(at__gte=now - timedelta(days=days))
    found: dict[tuple[str, str], Cost] = {}

    def add(key: tuple[str, str], counts: Counts) -> None:
        found.setdefault(key, Cost(*key)).add(counts)

    for row in rows.iterator():
        first = min(first, row.at)
        add((row.task, row.queue), of_hour(row))
    for key, counts in _not_in_history(fleet):
        add(key, counts)
    ranked = sorted(found.values(), key=lambda cost: -cost.seconds)
    return Costs(ranked, max(60.0, (now - first).total_seconds()))


def live() -> Fleet | None:
    """The fleet's counters now; None where no Redis answers."""
    link = Link(shared_url())
    try:
        return read(link.client, link.prefix)
    except LOST:
        return None
    finally:
        link.close()


def of_hour(row: TaskHour) -> Counts:
    counts = Counts(
        outcomes={name: getattr(row, name) for name in OUTCOMES},
        seconds={name: getattr(row, f"{name}_seconds") for name in SUMS},
    )
    counts.wait, counts.run = from_labels(row.wait_buckets), from_labels(row.run_buckets)
    counts.grown = row.memory_grown
    counts.queries, counts.database = row.queries, row.database_seconds
    return counts


def _not_in_history(fleet: Fleet | None) -> Iterable[tuple[tuple[str, str], Counts]]:
    """Counts since the last minute of the history; nothing before its first minute."""
    baseline = Baseline.objects.filter(pk=1).first() if fleet else None
    if fleet is None or baseline is None or "tasks" not in baseline.counters:
        return ()
    return deltas.since(deltas.flat(fleet), baseline.counters["tasks"]).items()
