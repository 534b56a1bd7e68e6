"""The catalogue's promise as burn rates: how fast a queue spends the lateness it is allowed.

A promise is "99 % start within …"; the 1 % is a budget for 30 days. A burn rate of 1 spends it in
just that time. An alert needs a high rate in a long window (it matters) and in a short one (it
still happens), after Google's "The Site Reliability Workbook", chapter 5. Pure.
"""

import math
from dataclasses import dataclass
from typing import Final

from dutiful.catalogue.classes import HOUR, MINUTE, QueueClass

TARGET: Final = 0.99
"""The share of a queue's tasks that start within its promise."""
MONTH: Final = 30 * 24 * HOUR
"""Seconds that the budget of late tasks is for."""
FEWEST: Final = 5
"""Late tasks below which a rate says nothing."""


@dataclass(frozen=True)
class Burn:
    """One pair of windows, in seconds, and the rate that is too high in both."""

    rate: float
    long: int
    short: int

    @property
    def share(self) -> float:
        """The share of late tasks at that rate."""
        return self.rate * (1 - TARGET)


FAST: Final = Burn(14.4, HOUR, 5 * MINUTE)
"""2 % of the month's budget in an hour."""
SLOW: Final = Burn(6, 6 * HOUR, 30 * MINUTE)
"""5 % of it in six hours."""


def scaled(burn: Burn, queue: QueueClass) -> Burn:
    """The pair for a queue: no short window is shorter than the promise itself.

    Whether a task of `relaxed_slow` is late shows after an hour; five minutes say nothing of it.
    No window is longer than the budget's 30 days, however long the promise.
    """
    factor = max(1, min(math.ceil(queue.starts_within / FAST.short), MONTH // SLOW.long))
    return Burn(burn.rate, burn.long * factor, burn.short * factor)


@dataclass(frozen=True)
class Count:
    """How the starts of a window went. `covered` is how many of its seconds were seen."""

    started: int
    late: int
    covered: float


def rate(count: Count, window: int, waiting_late: int = 0) -> float:
    """The burn rate: 1 is what the promise allows.

    `waiting_late` wait past their promise now; they are late already. Seconds that nobody saw
    count as kept at the present traffic: a deployment of five minutes has no hour to judge by.
    """
    late = count.late + waiting_late
    if late < FEWEST or count.covered <= 0:
        return 0.0
    started = count.started * max(1.0, window / count.covered) + waiting_late
    return late / started / (1 - TARGET)


def waiting_late(depth: int | None, oldest: float | None, promise: float) -> int:
    """How many of a queue's messages wait past the promise, if they came evenly.

    Counting them would take a look at each. Seconds, all of them.
    """
    if not depth or oldest is None or oldest <= promise:
        return 0
    return max(1, round(depth * (oldest - promise) / oldest))


def oldest_allowed(promise: float) -> float:
    """Seconds after which one waiting message is an alert by itself.

    Past the promise there is the 1 %, and the half minute in which a deploy's only worker is away.
    """
    return promise + max(promise, MINUTE)
