"""The starts of the last days from the history, for a monitor that has just started."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from dutiful.catalogue.classes import HOUR, MINUTE
from dutiful.conf.queues import catalogue
from dutiful.monitoring.models import QueueSample
from dutiful.monitoring.slo.starts import Span, kept


def past() -> dict[str, list[Span]]:
    """Spans by queue, the oldest first: minutes where there are any, hours before them."""
    since = datetime.now(UTC) - timedelta(seconds=max(map(kept, catalogue())))
    rows = QueueSample.objects.filter(at__gte=since).order_by("at")
    minutes = list(_read(rows.filter(span=MINUTE)))
    first: dict[str, float] = {}
    for queue, span in minutes:
        first.setdefault(queue, span.began)
    found: dict[str, list[Span]] = {}
    for queue, span in _read(rows.filter(span=HOUR)):
        if span.ended <= first.get(queue, float("inf")):
            found.setdefault(queue, []).append(span)
    for queue, span in minutes:
        found.setdefault(queue, []).append(span)
    return found


def _read(rows: "QuerySet[QueueSample]") -> Iterator[tuple[str, Span]]:
    for queue, at, span, runs, late in rows.values_list("queue", "at", "span", "runs", "late"):
        began = at.timestamp()
        yield queue, Span(began, began + span, runs or 0, late or 0)
