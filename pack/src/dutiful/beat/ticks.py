"""The rows of ticks: recorded as pending in one transaction, published, then marked as sent.

The functions raise django.db.Error if the database does not answer.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from dutiful.beat.models import Tick

State = Tick.State


def record(entry: str, at: datetime, expires_at: datetime, skipped: int, fence: int) -> bool:
    """Inserts a pending tick and updates the entry's last run. False if the tick exists already."""
    with transaction.atomic():
        _, created = Tick.objects.get_or_create(
            entry=entry,
            scheduled_at=at,
            defaults={"expires_at": expires_at, "skipped": skipped, "fence": fence},
        )
        PeriodicTask.objects.filter(name=entry).update(
            last_run_at=at, total_run_count=F("total_run_count") + int(created)
        )
    return created


def rewind(entry: str, to: datetime) -> None:
    """Moves the last run back after a change of the clock. Unique rows prevent repeated ticks."""
    PeriodicTask.objects.filter(name=entry).update(last_run_at=to)


def pending() -> list[Tick]:
    """All pending ticks, the oldest first, of this and of earlier leaders."""
    return list(Tick.objects.filter(state=State.PENDING).order_by("scheduled_at", "entry"))


def sent(tick: Tick) -> None:
    """Marks the tick as published."""
    Tick.objects.filter(pk=tick.pk).update(
        state=State.SENT, attempts=F("attempts") + 1, sent_at=timezone.now()
    )


def failed(tick: Tick, error: BaseException) -> None:
    """Counts a failed attempt; the tick stays pending."""
    Tick.objects.filter(pk=tick.pk).update(attempts=F("attempts") + 1, error=str(error))


def missed(tick: Tick, why: str) -> None:
    """Marks the tick as not published; it is not tried again."""
    Tick.objects.filter(pk=tick.pk).update(state=State.MISSED, error=why)
