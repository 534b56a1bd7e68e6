"""Bounds the history: minutes become hours after two days, hours are deleted after ninety.

The settings `MONITORING_MINUTES_KEPT_HOURS` and `MONITORING_HOURS_KEPT_DAYS` change both.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Sum

from dutiful.monitoring.history.models import BrokerSample, QueueSample, TaskHour

MINUTES_KEPT_HOURS: Final = 48
HOURS_KEPT_DAYS: Final = 90
SUMS: Final = (
    *("arrived", "started", "runs", "late", "failed", "retried", "crashed", "dead"),
    "run_seconds",
)
MOST: Final = ("depth", "oldest_seconds", "in_flight", "delayed")
BROKER_MOST: Final = (
    *("memory", "memory_limit", "ping_median", "ping_p99", "connections", "evictions"),
    *("workers", "busy", "slots", "outbox_rows", "outbox_oldest", "dead_letters"),
)


def run(minute: datetime) -> None:
    """Called after each minute; it does its work once an hour. Raises django.db.Error."""
    if minute.minute != 0:
        return
    hours = getattr(settings, "MONITORING_MINUTES_KEPT_HOURS", MINUTES_KEPT_HOURS)
    days = getattr(settings, "MONITORING_HOURS_KEPT_DAYS", HOURS_KEPT_DAYS)
    roll_up(minute.replace(minute=0) - timedelta(hours=hours))
    before = minute - timedelta(days=days)
    for rows in (QueueSample.objects, BrokerSample.objects, TaskHour.objects):
        rows.filter(at__lt=before).delete()


@transaction.atomic
def roll_up(before: datetime) -> None:
    """Turns minutes before that hour into one row an hour. It may be called again."""
    old = QueueSample.objects.filter(span=60, at__lt=before)
    while (first := old.aggregate(at=Min("at"))["at"]) is not None:
        hour = first.replace(minute=0, second=0, microsecond=0)
        minutes = old.filter(at__lt=hour + timedelta(hours=1))
        made = minutes.order_by().values("queue").annotate(**_figures(SUMS, MOST))
        QueueSample.objects.bulk_create(
            [
                QueueSample(at=hour, span=3600, queue=row.pop("queue"), **_named(row))
                for row in made
            ],
            ignore_conflicts=True,
        )
        minutes.delete()
    old_broker = BrokerSample.objects.filter(span=60, at__lt=before)
    while (first := old_broker.aggregate(at=Min("at"))["at"]) is not None:
        hour = first.replace(minute=0, second=0, microsecond=0)
        samples = old_broker.filter(at__lt=hour + timedelta(hours=1))
        most = _named(samples.aggregate(**_figures((), BROKER_MOST)))
        BrokerSample.objects.bulk_create(
            [BrokerSample(at=hour, span=3600, **most)], ignore_conflicts=True
        )
        samples.delete()


def _figures(sums: tuple[str, ...], most: tuple[str, ...]) -> dict[str, Any]:
    return {f"its_{name}": Sum(name) for name in sums} | {f"its_{name}": Max(name) for name in most}


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("its_"): value for name, value in row.items()}
