"""The starts in the windows of the burn rates, summed up by the database.

The monitor has each minute in its memory instead; a web process would take long to read them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from dutiful.conf.queues import catalogue
from dutiful.monitoring.models import QueueSample
from dutiful.monitoring.slo import burn as slo
from dutiful.monitoring.slo.starts import Starts


def lengths() -> list[int]:
    """The windows, in seconds, that any queue of the catalogue is judged by."""
    return sorted(
        {
            window
            for queue in catalogue()
            for burn in (slo.scaled(slo.FAST, queue), slo.scaled(slo.SLOW, queue))
            for window in (burn.long, burn.short)
        }
    )


class Windows(Starts):
    """Counts for `lengths()` at the time of the query; `count` ignores `now`."""

    def __init__(self, counts: Mapping[tuple[str, float], slo.Count]) -> None:
        super().__init__()
        self._counts = counts

    def count(self, queue: str, window: float, now: float) -> slo.Count:
        return self._counts.get((queue, window), slo.Count(0, 0, 0.0))


def read() -> Windows:
    """One small query a window. Raises django.db.Error."""
    now = datetime.now(UTC)
    found: dict[tuple[str, float], slo.Count] = {}
    for window in lengths():
        since = now - timedelta(seconds=window)
        rows = QueueSample.objects.filter(span__in=(60, 3600), at__gte=since).order_by()
        sums = rows.values_list("queue").annotate(Sum("runs"), Sum("late"), Sum("span"))
        for queue, runs, late, covered in sums:
            found[queue, window] = slo.Count(runs, late, min(window, covered))
    return Windows(found)
