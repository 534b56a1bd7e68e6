"""How long recent publishes took, by role: the difference of two readings of the counters."""

import time
from collections import deque
from typing import Any, Final

from dutiful.monitoring.fleet import store
from dutiful.monitoring.fleet.buckets import labels, quantile
from dutiful.monitoring.fleet.store import Counts
from dutiful.monitoring.snapshot.facts import Latency

LONGEST: Final = 300.0
"""Seconds that count as recent. With only one reading within them, all publishes count."""
ROLES: Final = ("web", "beat", "worker")


def fields() -> list[str]:
    """What HMGET is asked for: each role's outcomes and histogram."""
    numbers = ("outcome|succeeded", "outcome|failed", *(f"run|{edge}" for edge in labels()))
    return [f"{role}|{store.PUBLISHES}|{number}" for role in ROLES for number in numbers]


class Publishes:
    """Remembers the readings of one process."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, dict[str, Counts]]] = deque()

    def read(self, values: Any) -> dict[str, Latency]:
        """`values` is HMGET's reply for `fields()`, or an error."""
        if not isinstance(values, list):
            return {}
        pairs = zip(fields(), values, strict=True)
        fleet = store.parse({name.encode(): value for name, value in pairs if value is not None})
        now, found = time.monotonic(), fleet.publishes
        while self._readings and now - self._readings[0][0] > LONGEST:
            self._readings.popleft()
        earlier = self._readings[0][1] if self._readings else {}
        self._readings.append((now, found))
        latencies = {role: _since(found[role], earlier.get(role)) for role in found}
        return {role: latency for role, latency in latencies.items() if latency}


def _since(now: Counts, then: Counts | None) -> Latency | None:
    before = then or Counts()
    counts = [a - b for a, b in zip(now.run, before.run, strict=True)]
    if min(counts) < 0:
        counts, before = now.run, Counts()  # the broker's data are new
    median, p99 = quantile(counts, 0.5), quantile(counts, 0.99)
    if median is None or p99 is None:
        return None
    errors = now.outcomes["failed"] - before.outcomes["failed"]
    return Latency(count=sum(counts), median=median, p99=p99, errors=errors)
