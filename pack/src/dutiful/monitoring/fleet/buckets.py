"""Histograms: how many of what was measured lie up to each bound. Seconds."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

BOUNDS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0),
)
"""Upper bounds. Every promise of the catalogue is one of them (a test sees to it)."""
SIZE: Final = len(BOUNDS) + 1
"""Of a list of counts: the last one counts what is beyond all bounds."""


def index(seconds: float) -> int:
    """The bucket of a measurement."""
    return bisect_left(BOUNDS, seconds)


def above(counts: Sequence[int], bound: float) -> int:
    """How many were longer. Raises ValueError where `bound` is none of BOUNDS."""
    return sum(counts[BOUNDS.index(bound) + 1 :])


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Seconds that this share (0.95) stayed within; within a bucket evenly spread. None of none.

    What is beyond all bounds counts as the last of them.
    """
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    for i, reached in enumerate(accumulate(counts)):
        if reached >= wanted and counts[i]:
            if i == len(BOUNDS):
                return BOUNDS[-1]
            low = BOUNDS[i - 1] if i else 0.0
            return low + (BOUNDS[i] - low) * (wanted - (reached - counts[i])) / counts[i]
    return BOUNDS[-1]
