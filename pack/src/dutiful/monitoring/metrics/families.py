"""Turns counts into the metric families of prometheus-client.

Labels are bounded: queues by the catalogue, tasks by `dutiful.monitoring.fleet.store`, workers by
their leases.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from dutiful.monitoring.fleet.buckets import labels as edge_labels
from dutiful.monitoring.fleet.store import Counts, Fleet

Rows = Iterable[tuple[Sequence[str], float | int | bool | None]]
"""Label values and the value; a row with None is left out."""


def gauge(name: str, help_: str, labels: Sequence[str], rows: Rows) -> Metric:
    return _filled(GaugeMetricFamily(name, help_, labels=labels), rows)


def counter(name: str, help_: str, labels: Sequence[str], rows: Rows) -> Metric:
    """`name` is without `_total`, which the client adds."""
    return _filled(CounterMetricFamily(name, help_, labels=labels), rows)


def _filled(family: Any, rows: Rows) -> Metric:
    for labels, value in rows:
        if value is not None:
            family.add_metric(list(labels), float(value))
    found: Metric = family
    return found


def histogram(
    name: str,
    help_: str,
    labels: Sequence[str],
    rows: Iterable[tuple[Sequence[str], Sequence[int], float | None]],
) -> Metric:
    """Rows of label values, counts by the fleet's buckets, and the sum where it is known."""
    family = HistogramMetricFamily(name, help_, labels=labels)
    words = edge_labels()
    for values, counts, total in rows:
        if any(counts):
            reached = list(zip(words, accumulate(counts), strict=True))
            family.add_metric(list(values), buckets=reached, sum_value=total)
    return family


def runs(fleet: Fleet, start: str) -> Iterator[Metric]:
    """Outcomes and times of runs and publishes. `start` is the prefix of the names."""
    tasks: Mapping[tuple[str, str], Counts] = dict(sorted(fleet.tasks.items()))
    names = ("task", "queue")
    yield counter(
        f"{start}_task_runs",
        "Runs that ended, retried and crashed ones included.",
        (*names, "outcome"),
        [
            ((*labels, outcome), number)
            for labels, counts in tasks.items()
            for outcome, number in counts.outcomes.items()
            if number
        ],
    )
    yield histogram(
        f"{start}_task_wait_seconds",
        "From when a run could have started to its start.",
        names,
        [(labels, counts.wait, counts.seconds["wait"]) for labels, counts in tasks.items()],
    )
    yield histogram(
        f"{start}_task_run_seconds",
        "From a run's start to its end.",
        names,
        [(labels, counts.run, counts.seconds["run"]) for labels, counts in tasks.items()],
    )
    yield counter(
        f"{start}_task_cpu_seconds",
        "Processor time of the runs' own threads.",
        names,
        [(labels, counts.seconds["cpu"]) for labels, counts in tasks.items()],
    )
    yield counter(
        f"{start}_task_queries",
        "Database statements of runs.",
        names,
        [(labels, counts.queries) for labels, counts in tasks.items()],
    )
    yield counter(
        f"{start}_task_database_seconds",
        "Seconds that runs waited for databases.",
        names,
        [(labels, counts.database) for labels, counts in tasks.items()],
    )
    roles = dict(sorted(fleet.publishes.items()))
    yield histogram(
        f"{start}_publish_seconds",
        "How long a publish took in the process that published.",
        ("role",),
        [((role,), counts.run, counts.seconds["run"]) for role, counts in roles.items()],
    )
    yield counter(
        f"{start}_publish_failures",
        "Publishes that failed.",
        ("role",),
        [((role,), counts.outcomes["failed"]) for role, counts in roles.items()],
    )
