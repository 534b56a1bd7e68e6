"""Histograms of durations: how many were at most as long as each edge, in seconds.

The edges derive from the catalogue, so that "how many started later than promised" is always an
exact count. They are computed at first use: settings are not read when this module is imported.
Counts are kept outside this process by the edge's label ("0.5"), not by its place: releases with
different catalogues may run side by side, and history outlives both.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

from django.core.signals import setting_changed

from dutiful.conf.queues import catalogue

USUAL: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0),
)
"""Edges that every histogram has, whatever the catalogue promises."""


@lru_cache(maxsize=1)
def edges() -> tuple[float, ...]:
    """The upper edges, ascending: the usual ones, and each queue's starts_within, runs_within."""
    promised = {
        float(seconds)
        for queue in catalogue()
        for seconds in (queue.starts_within, queue.runs_within)
    }
    return tuple(sorted(promised.union(USUAL)))


def _forget(setting: str, **_: Any) -> None:
    if setting == "DUTIFUL":
        edges.cache_clear()


setting_changed.connect(_forget, dispatch_uid="dutiful.monitoring.buckets")


def empty() -> list[int]:
    """A count for each edge, and a last one for what is longer than all of them."""
    return [0] * (len(edges()) + 1)


def index(seconds: float) -> int:
    """The bucket of a measurement."""
    return bisect_left(edges(), seconds)


def label(edge: float) -> str:
    """An edge as it is written in Redis, in the database and for Prometheus: `0.5`, `60`."""
    return f"{edge:.12g}"


def labels() -> tuple[str, ...]:
    """One for each count of a histogram; the last is `+Inf`."""
    return (*map(label, edges()), "+Inf")


def labelled(counts: Sequence[int]) -> dict[str, int]:
    """A histogram by label, without its empty buckets."""
    return {name: count for name, count in zip(labels(), counts, strict=True) if count}


def from_labels(counts: Mapping[str, int]) -> list[int]:
    """The reverse of `labelled`. Raises ValueError for a label that is no number.

    A count whose edge this catalogue does not have goes into the next longer bucket: it may look
    longer than it was, never shorter.
    """
    found = empty()
    for name, count in counts.items():
        found[index(float(name))] += count
    return found


def above(counts: Sequence[int], edge: float) -> int:
    """How many were longer. Raises ValueError where `edge` is none of `edges()`."""
    return sum(counts[edges().index(edge) + 1 :])


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Seconds that this share (0.95) stayed within, evenly spread in its bucket; None of none.

    What is beyond all edges counts as the last of them.
    """
    total = sum(counts)
    if not total:
        return None
    bounds, wanted = edges(), share * total
    for i, reached in enumerate(accumulate(counts)):
        if reached >= wanted and counts[i]:
            if i == len(bounds):
                return bounds[-1]
            low = bounds[i - 1] if i else 0.0
            return low + (bounds[i] - low) * (wanted - (reached - counts[i])) / counts[i]
    return bounds[-1]
