"""Beat's own tasks: the heartbeat of each queue, and the purge of old rows."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from dutiful.beat.models import Heartbeat, Tick
from dutiful.task import purging, task
from dutiful.task.models import Cursor, DispatchToken

logger = logging.getLogger(__name__)


@task(name="dutiful.beat.heartbeat", urgency="average", runtime="fast", bind=True)
def heartbeat(self: Any) -> None:
    """Records when this heartbeat was due, sent and run, for the queue that it came from."""
    queue = self.request.delivery_info["routing_key"]
    # Not request.headers: with Sentry on, it is a copy made before the publish.
    due = datetime.fromisoformat(self.request.get("scheduled_at"))
    times = {
        "due_at": due,
        "sent_at": datetime.fromtimestamp(self.request.get("enqueued_at"), UTC),
        "ran_at": timezone.now(),
    }
    # A heartbeat that arrives out of order must not replace a later one.
    if not Heartbeat.objects.filter(queue=queue, due_at__lte=due).update(**times):
        Heartbeat.objects.bulk_create([Heartbeat(queue=queue, **times)], ignore_conflicts=True)


@task(name="dutiful.beat.purge", urgency="relaxed", runtime="slow")
def purge(days: int) -> None:
    """Deletes ticks, dispatch tokens and cursors that are older than `days` days."""
    before = timezone.now() - timedelta(days=days)
    ticks = purging.delete(Tick.objects.filter(scheduled_at__lt=before))
    tokens = purging.delete(DispatchToken.objects.filter(taken_at__lt=before))
    cursors = purging.delete(Cursor.objects.filter(saved_at__lt=before))
    logger.info(
        "purged rows older than %d days: %d ticks, %d dispatch tokens, %d cursors",
        days,
        ticks,
        tokens,
        cursors,
    )
