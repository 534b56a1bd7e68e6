"""Burn rates: how fast a queue spends its budget of late starts. Pure.

A promise is "99 % start within …"; the 1 % is the budget for 30 days, which a burn rate of 1 spends
in just that time. An alert needs a high rate in a long window (it matters) and in a short one (it
still happens), after Google's "The Site Reliability Workbook", chapter 5.
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
"""With fewer late tasks than this the rate counts as 0."""


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

    Five minutes say nothing about a promise of an hour. No window is longer than the 30 days of
    the budget, however long the promise.
    """
    factor = max(1, min(math.ceil(queue.starts_within / FAST.short), MONTH // SLOW.long))
    return Burn(burn.rate, burn.long * factor, burn.short * factor)


@dataclass(frozen=True)
class Count:
    """The starts in a window. `covered` is how many of its seconds were observed."""

    started: int
    late: int
    covered: float


def rate(count: Count, window: int, waiting_late: int = 0) -> float:
    """The burn rate: 1 is what the promise allows.

    `waiting_late` messages wait past their promise now and count as late. Seconds that were not
    observed count as in time, at the present traffic: after five minutes there is no full hour yet.
    """
    late = count.late + waiting_late
    if late < FEWEST or count.covered <= 0:
        return 0.0
    started = count.started * max(1.0, window / count.covered) + waiting_late
    return late / started / (1 - TARGET)


def waiting_late(depth: int | None, oldest: float | None, promise: float) -> int:
    """An estimate of the messages that wait past the promise, if they arrived evenly.

    `oldest` and `promise` are seconds. Counting them would mean to read each message.
    """
    if not depth or oldest is None or oldest <= promise:
        return 0
    return max(1, round(depth * (oldest - promise) / oldest))


def oldest_allowed(promise: float) -> float:
    """Seconds after which one waiting message is an alert by itself.

    It is later than the promise, since 1 % may be late and a deploy leaves no worker for half a
    minute.
    """
    return promise + max(promise, MINUTE)
