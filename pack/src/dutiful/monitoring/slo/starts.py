"""The starts of each queue, for as long as its longest window.

They come from the history once, then from the fleet's live counters: so they go on while the
database is down, and a restart of the monitor leaves no gap while it is not.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from dutiful.catalogue.classes import MINUTE, QueueClass
from dutiful.conf.queues import by_name
from dutiful.monitoring.slo.burn import FAST, SLOW, Count, scaled


def kept(queue: QueueClass) -> float:
    """Seconds of a queue's starts that are remembered: its longest window and a minute."""
    return scaled(SLOW, queue).long + MINUTE


def resolution(queue: QueueClass) -> float:
    """Seconds that one span may grow to: a twentieth of the queue's shortest window."""
    return scaled(FAST, queue).short / 20


@dataclass
class Span:
    """What started on one queue between two moments (epoch seconds)."""

    began: float
    ended: float
    started: int
    late: int


class Starts:
    """Call `seed()` once, `read()` with the cumulative counters at each pass, then `count()`."""

    def __init__(self) -> None:
        self._spans: dict[str, deque[Span]] = {}
        self._last: dict[str, tuple[int, int]] = {}
        self._read_at: float | None = None
        self._lock = threading.Lock()

    def seed(self, queue: str, spans: Iterable[Span]) -> None:
        """Adds history, the oldest first, before what `read()` has added since."""
        with self._lock:
            seen = self._spans.get(queue, deque())
            first = seen[0].began if seen else float("inf")
            past = [span for span in spans if span.ended <= first]
            self._spans[queue] = deque([*past, *seen])

    def read(self, now: float, totals: Mapping[str, tuple[int, int]]) -> None:
        """`totals`: by queue, how many ever started, and how many of them late."""
        with self._lock:
            since, self._read_at = self._read_at, now
            for queue, total in totals.items():
                before = self._last.get(queue)
                self._last[queue] = total
                if since is None:
                    continue
                before = before or (0, 0)
                # Less than before: the counters have started again from 0, with the broker's data.
                began_anew = total[0] < before[0] or total[1] < before[1]
                started, late = (
                    total if began_anew else (total[0] - before[0], total[1] - before[1])
                )
                self._add(queue, Span(since, now, started, late))

    def count(self, queue: str, window: float, now: float) -> Count:
        """What started in the last `window` seconds."""
        since = now - window
        with self._lock:
            spans = reversed(self._spans.get(queue, ()))
            counted = list(takewhile(lambda span: span.ended > since, spans))
        covered = sum(min(span.ended, now) - max(span.began, since) for span in counted)
        return Count(
            sum(span.started for span in counted),
            sum(span.late for span in counted),
            min(window, max(0.0, covered)),
        )

    def _add(self, queue: str, span: Span) -> None:
        spans, promised = self._spans.setdefault(queue, deque()), by_name(queue)
        last = spans[-1] if spans else None
        joined = span.ended - last.began if last and last.ended == span.began else None
        if last and joined is not None and joined <= resolution(promised):
            last.ended = span.ended
            last.started += span.started
            last.late += span.late
        else:
            spans.append(span)
        while spans[0].ended < span.ended - kept(promised):
            spans.popleft()
