"""Counts of the outbox, and changes of state by a person: for the command and the admin."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Count, Min, Q
from django.utils import timezone

from dutiful.outbox import options, rows
from dutiful.outbox.models import OutboxMessage

State = OutboxMessage.State
logger = logging.getLogger(__name__)


class Counts(NamedTuple):
    """Counts, and the age in seconds of the oldest message that waits (0: none does)."""

    waiting: int
    oldest_seconds: float
    refused: int
    dropped: int


def counts() -> Counts:
    """Counts with one query. Raises django.db.Error."""
    found = OutboxMessage.objects.using(rows.alias()).aggregate(
        waiting=Count("pk", filter=Q(state=State.WAITING)),
        oldest=Min("created_at", filter=Q(state=State.WAITING)),
        refused=Count("pk", filter=Q(state=State.REFUSED)),
        dropped=Count("pk", filter=Q(state=State.DROPPED)),
    )
    oldest = found["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return Counts(found["waiting"], max(0.0, age), found["refused"], found["dropped"])


def retry(keys: Iterable[int]) -> int:
    """Has rows that were refused or dropped wait again, due now. Returns how many."""
    return (
        OutboxMessage.objects.using(rows.alias())
        .filter(pk__in=list(keys))
        .update(state=State.WAITING, attempts=0, due_at=timezone.now())
    )


def drop(keys: Iterable[int], reason: str) -> int:
    """Drops rows: they are not sent, and are kept for a while with the reason. Returns how many."""
    found = OutboxMessage.objects.using(rows.alias()).filter(pk__in=list(keys))
    count = 0
    for row in found.exclude(state=State.DROPPED):
        logger.warning("dropped from the outbox: %s, queue %s: %s", row, row.queue, reason)
        count += found.filter(pk=row.pk, state=row.state).update(
            state=State.DROPPED, error=reason, due_at=timezone.now()
        )
    return count


def purge() -> int:
    """Deletes rows dropped OUTBOX_KEEP_DROPPED_DAYS ago or earlier. Returns how many."""
    before = timezone.now() - timedelta(days=options.OUTBOX_KEEP_DROPPED_DAYS)
    old = OutboxMessage.objects.using(rows.alias()).filter(state=State.DROPPED, due_at__lt=before)
    count, _ = old.delete()
    if count:
        logger.info("purged %d dropped messages of the outbox", count)
    return count
