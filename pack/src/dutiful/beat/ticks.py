"""The ticks that beat owes, in the database: owed in one transaction, published, then ticked off.

Functions raise django.db.Error where the database does not answer.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from dutiful.beat.models import Tick

State = Tick.State


def owe(entry: str, at: datetime, expires_at: datetime, skipped: int, fence: int) -> bool:
    """Inserts the tick and moves the entry's last run. False: somebody else has it."""
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
    """Moves the last run back, where the clock was set back. Unique rows stop what ran already."""
    PeriodicTask.objects.filter(name=entry).update(last_run_at=to)


def pending() -> list[Tick]:
    """What is still to be published, the oldest first, by whichever leader it was owed."""
    return list(Tick.objects.filter(state=State.PENDING).order_by("scheduled_at", "entry"))


def sent(tick: Tick) -> None:
    Tick.objects.filter(pk=tick.pk).update(
        state=State.SENT, attempts=F("attempts") + 1, sent_at=timezone.now()
    )


def failed(tick: Tick, error: BaseException) -> None:
    """One more attempt in vain; it stays pending."""
    Tick.objects.filter(pk=tick.pk).update(attempts=F("attempts") + 1, error=str(error))


def missed(tick: Tick, why: str) -> None:
    """It will not be published."""
    Tick.objects.filter(pk=tick.pk).update(state=State.MISSED, error=why)
