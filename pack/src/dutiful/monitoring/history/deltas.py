"""The difference of two readings of counters, which only grow or start again from 0."""

from collections.abc import Mapping
from typing import Any

from dutiful.monitoring.fleet.buckets import above
from dutiful.monitoring.fleet.store import Counts, Fleet
from dutiful.monitoring.snapshot.facts import Queue

Counters = dict[str, Any]
"""Counters by name, as JSON."""


def flat(fleet: Fleet) -> Counters:
    """The tasks' counters by "task|queue", then by their names."""
    return {f"{task}|{queue}": counts.numbers() for (task, queue), counts in fleet.tasks.items()}


def totals(queue: Queue) -> Counters:
    """A queue's counters, and its depth, from which arrivals are computed."""
    return {
        "depth": queue.depth or 0,
        "taken": (queue.claimed_total or 0) - (queue.put_back_total or 0),
        "acked": queue.acked_total or 0,
        "dead": queue.dead_total or 0,
    }


def since(now: Counters, then: Counters) -> dict[tuple[str, str], Counts]:
    """What was added, by task and queue; those without a difference are left out."""
    found = {}
    for name, numbers in now.items():
        # By this release's edges: another may have written `then`.
        before = Counts.of(then.get(name, {})).numbers()
        if any(numbers.get(each, 0) < number for each, number in before.items()):
            before = {}  # the broker's data is new
        more = {each: round(number - before.get(each, 0), 6) for each, number in numbers.items()}
        if any(more.values()):
            task, _, queue = name.rpartition("|")
            found[task, queue] = Counts.of(more)
    return found


def flow(now: Counters, then: Mapping[str, int] | None) -> dict[str, int]:
    """The arrived, started and dead messages of a queue."""
    if then is None or any(now[name] < then[name] for name in ("acked", "dead")):
        return {"arrived": 0, "started": 0, "dead": 0}
    taken = now["taken"] - then["taken"]
    return {
        "arrived": max(0, now["depth"] - then["depth"] + taken),
        "started": max(0, taken),
        "dead": now["dead"] - then["dead"],
    }


def of_queue(name: str, starts_within: float, tasks: dict[tuple[str, str], Counts]) -> Counters:
    """The columns of a queue's row that come from its tasks' runs."""
    mine = [counts for (_, queue), counts in tasks.items() if queue == name]
    return {
        "runs": sum(counts.runs for counts in mine),
        "late": sum(above(counts.wait, starts_within) for counts in mine),
        "failed": sum(counts.outcomes["failed"] for counts in mine),
        "retried": sum(counts.outcomes["retried"] for counts in mine),
        "crashed": sum(counts.outcomes["crashed"] for counts in mine),
        "run_seconds": sum(counts.seconds["run"] for counts in mine),
    }
