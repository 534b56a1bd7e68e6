"""The part `queues`: from one reading of the broker, with rates from two."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dutiful.conf.queues import names
from dutiful.monitoring.snapshot.facts import Queue, Queues
from dutiful.transport.redis.look import Look, QueueLook

SHORTEST: Final = 1.0
LONGEST: Final = 30.0
"""Seconds that rates are measured over: as long as possible within these bounds."""


class Readings:
    """The readings of the last half minute, of one process."""

    def __init__(self) -> None:
        self._readings: deque[Look] = deque()

    def add(self, look: Look) -> Look | None:
        """Adds a reading and returns the earlier one to compare it with."""
        while self._readings and look.now - self._readings[0].now > LONGEST:
            self._readings.popleft()
        earlier = self._readings[0] if self._readings else None
        if not self._readings or look.now - self._readings[-1].now >= SHORTEST:
            self._readings.append(look)
        if earlier is None or look.now - earlier.now < SHORTEST:
            return None
        return earlier if look.counted else None  # our transport counts from its first claim on


def read(look: Look, earlier: Look | None) -> Queues:
    """All queues. `earlier` is the reading that rates are measured from."""
    return Queues(
        each=tuple(_queue(name, look, earlier) for name in names()),
        rates_seconds=look.now - earlier.now if earlier else None,
    )


def with_dead(queues: Queues, dead: Mapping[str, int]) -> Queues:
    """The same queues with their dead letters, given by queue."""
    each = tuple(replace(queue, dead=dead.get(queue.name, 0)) for queue in queues.each)
    return replace(queues, each=each)


def _queue(name: str, look: Look, earlier: Look | None) -> Queue:
    seen = look.queues[name]
    count = seen.counters.get if look.counted else lambda *_: None
    arrivals, departures = _rates(name, look, earlier)
    since = seen.eligible_since
    return Queue(
        name=name,
        depth=seen.depth,
        oldest_seconds=None if since is None else max(0.0, look.now - since),
        arrivals=arrivals,
        departures=departures,
        in_flight=_in_flight(name, look),
        delayed=count("delayed", 0),
        claimed_total=count("taken", 0),
        put_back_total=count("back", 0),
        acked_total=count("acked", 0),
        dead_total=count("dead", 0),
    )


def _rates(name: str, look: Look, earlier: Look | None) -> tuple[float | None, float | None]:
    """Arrivals and departures a second. Arrivals follow from depth and claims, so that messages of
    stock producers count too."""
    if earlier is None:
        return None, None
    now, then = look.queues[name], earlier.queues[name]
    seconds = look.now - earlier.now
    taken = _net(now) - _net(then)
    if now.counters.get("acked", 0) < then.counters.get("acked", 0):
        return None, None  # the counters have started again
    return max(0.0, (now.depth - then.depth + taken) / seconds), max(0.0, taken / seconds)


def _net(queue: QueueLook) -> int:
    """Claims that were not put back."""
    return queue.counters.get("taken", 0) - queue.counters.get("back", 0)


def _in_flight(name: str, look: Look) -> int | None:
    """The sum over the workers' reports; None where one holds messages and has not reported."""
    found = 0
    for owner in look.owners:
        counts = owner.facts.get("queues")
        if not isinstance(counts, dict):
            if owner.held:
                return None
            continue
        found += int(counts.get(name) or 0)
    return found if look.counted or look.owners else None
