"""Scheduled tasks: collect and replay dead letters each minute, purge them at night."""

import logging
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError

from dutiful.deadletters import campaign, collect
from dutiful.deadletters.models import Campaign, DeadLetter
from dutiful.task import purging, task
from dutiful.task.retries import NEVER

logger = logging.getLogger(__name__)
CLOSED: Final = (
    DeadLetter.State.SUCCEEDED,
    DeadLetter.State.DIED_AGAIN,
    DeadLetter.State.DISCARDED,
)


def keep_days() -> tuple[int, int]:
    """The days for which open, and closed, dead letters are kept; from the settings."""
    return (
        int(getattr(settings, "DEADLETTERS_KEEP_OPEN_DAYS", 180)),
        int(getattr(settings, "DEADLETTERS_KEEP_CLOSED_DAYS", 30)),
    )


@task(name="dutiful.deadletters.tend", urgency="average", runtime="slow", retry_policy=NEVER)
def tend() -> None:
    """Collects new dead letters, and takes the next step of each replay."""
    try:
        collect.collect()
        campaign.step_all()
    except (DatabaseError, OperationalError) as error:
        # No retry and no dead letter: it runs again in the next minute.
        logger.error("dead letters wait in the broker: %s: %s", type(error).__name__, error)


@task(name="dutiful.deadletters.purge", urgency="relaxed", runtime="slow")
def purge() -> None:
    """Deletes expired dead letters, and logs their number."""
    open_days, closed_days = keep_days()
    now = timezone.now()
    old_closed = DeadLetter.objects.filter(
        state__in=CLOSED, state_at__lt=now - timedelta(days=closed_days)
    )
    old_open = DeadLetter.objects.exclude(state__in=CLOSED).filter(
        died_at__lt=now - timedelta(days=open_days), state_at__lt=now - timedelta(days=open_days)
    )
    closed, left = purging.delete(old_closed), purging.delete(old_open)
    campaigns = Campaign.objects.filter(
        dead_letters=None, next_at__lt=now - timedelta(days=closed_days)
    )
    purging.delete(campaigns.exclude(state__in=campaign.ACTIVE))
    logger.info(
        "purged dead letters: %d closed for %d days, %d open for %d days",
        *(closed, closed_days, left, open_days),
    )
