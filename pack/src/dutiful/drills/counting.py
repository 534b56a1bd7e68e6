"""Counts from the run record and the broker's state."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable

from dutiful.drills.broker_state import DEAD, locate_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts
from dutiful.drills.record.read import RunRecord
from dutiful.drills.supervisor import Kill


def count_tasks(deployment: Deployment, sent: Iterable[int], **measured: float) -> Counts:
    """Returns the counts of the tasks `sent` as of now, with `measured` and `dead_letters`."""
    numbers = set(sent)
    ended = Counter(end.number for end in deployment.record.ends() if end.number in numbers)
    with deployment.redis as client:
        where = locate_tasks(client)
    missing = numbers - ended.keys()
    there = {number for number in missing if number in where}
    dead = {number for number in numbers if where.get(number) == DEAD}
    return Counts(
        sent=len(numbers),
        run=len(ended),
        lost=len(missing) - len(there),
        stuck=len(there - dead),
        twice=sum(1 for times in ended.values() if times > 1),
        measured={**measured, "dead_letters": len(dead)},
    )


def second_starts(record: RunRecord, kinds: Container[str] = ("slow", "crunch")) -> int:
    """Returns how many starts there were beyond the first of each task of these kinds."""
    times = Counter(start.number for start in record.starts() if start.kind in kinds)
    return sum(times.values()) - len(times)


def held_by(record: RunRecord, kill: Kill) -> set[int]:
    """Returns the tasks that the worker was running when it was killed."""
    ended: dict[int, float] = {}
    for end in record.ends():
        ended.setdefault(end.number, end.at)
    return {
        start.number
        for start in record.starts()
        if start.worker == kill.worker
        and start.at <= kill.at
        and ended.get(start.number, kill.at + 1) > kill.at
    }


def recovery(record: RunRecord, kills: Iterable[Kill]) -> float | None:
    """Returns the longest time, in seconds, from a kill to the next start of a task it interrupted.

    Returns None if no interrupted task ran again.
    """
    starts: defaultdict[int, list[float]] = defaultdict(list)
    for start in record.starts():
        starts[start.number].append(start.at)
    waits = []
    for kill in kills:
        for number in held_by(record, kill):
            again = [at for at in starts[number] if at > kill.at]
            if again:
                waits.append(min(again) - kill.at)
    return round(max(waits), 1) if waits else None
