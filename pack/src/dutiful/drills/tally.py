"""From record and census to counts."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable

from dutiful.drills.arena import Arena
from dutiful.drills.census import DEAD, census
from dutiful.drills.crew import Kill
from dutiful.drills.ledger import Ledger
from dutiful.drills.scenario import Counts


def tally(arena: Arena, sent: Iterable[int], **measured: float) -> Counts:
    """The counts of these tasks now. `dead_letters` is counted for all three."""
    numbers = set(sent)
    ended = Counter(end.number for end in arena.ledger.ends() if end.number in numbers)
    with arena.redis as client:
        where = census(client)
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


def copies(ledger: Ledger, kinds: Container[str] = ("slow", "crunch")) -> int:
    """Second copies: starts beyond a task's first, where nothing was killed."""
    times = Counter(start.number for start in ledger.starts() if start.kind in kinds)
    return sum(times.values()) - len(times)


def held_by(ledger: Ledger, kill: Kill) -> set[int]:
    """The tasks that a worker was running when it was killed."""
    ended: dict[int, float] = {}
    for end in ledger.ends():
        ended.setdefault(end.number, end.at)
    return {
        start.number
        for start in ledger.starts()
        if start.worker == kill.worker
        and start.at <= kill.at
        and ended.get(start.number, kill.at + 1) > kill.at
    }


def recovery(ledger: Ledger, kills: Iterable[Kill]) -> float | None:
    """Seconds: the longest from a kill to the next start of a task that it interrupted.

    None where nothing that was interrupted ran again.
    """
    starts: defaultdict[int, list[float]] = defaultdict(list)
    for start in ledger.starts():
        starts[start.number].append(start.at)
    waits = []
    for kill in kills:
        for number in held_by(ledger, kill):
            again = [at for at in starts[number] if at > kill.at]
            if again:
                waits.append(min(again) - kill.at)
    return round(max(waits), 1) if waits else None
