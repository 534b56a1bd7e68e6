"""The input of the rules: one snapshot, and counters and starts of earlier passes."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from dutiful.catalogue.profiles import Profile
from dutiful.conf import conf
from dutiful.monitoring.slo.starts import Starts
from dutiful.monitoring.snapshot.facts import Snapshot

LONGEST = 900.0
"""Seconds that a counter's readings are kept."""


class Counters:
    """Readings of counters that only rise, and by how much each rose lately.

    A counter that is lower than before has started again from 0 with its server.
    """

    def __init__(self) -> None:
        self._past: dict[str, deque[tuple[float, int]]] = {}
        self._now = 0.0

    def read(self, now: float, values: Mapping[str, int | None]) -> None:
        """Adds one reading of each. None: it is not known now."""
        self._now = now
        for name, value in values.items():
            if value is None:
                continue
            past = self._past.setdefault(name, deque())
            past.append((now, value))
            while past[0][0] < now - LONGEST:
                past.popleft()

    def rise(self, name: str, seconds: float) -> int | None:
        """By how much it rose in the last `seconds`; None where it was never read."""
        past = self._past.get(name)
        if not past:
            return None
        readings = [value for at, value in past if at >= self._now - seconds]
        return sum(
            later - earlier if later >= earlier else later for earlier, later in pairwise(readings)
        )

    def names(self, prefix: str) -> list[str]:
        return [name for name in self._past if name.startswith(prefix)]


@dataclass
class Collected:
    """What one pass collected. Times are epoch seconds."""

    now: float
    snapshot: Snapshot
    starts: Starts
    counters: Counters
    since: float
    """When the monitor started."""
    profiles: tuple[Profile, ...] = field(default_factory=lambda: conf().shapes)
    """The shapes of this deployment's workers."""
    failing_channels: Mapping[str, str] = field(default_factory=dict)
    """Channels that do not work, and why."""
