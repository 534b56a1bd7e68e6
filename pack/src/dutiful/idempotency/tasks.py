"""The scheduled task that deletes expired keys and marks."""

import logging
from typing import Any

from django.utils import timezone

from dutiful.idempotency.models import Key, UniqueCall
from dutiful.task import purging, task

logger = logging.getLogger(__name__)


@task(name="dutiful.idempotency.purge", urgency="relaxed", runtime="slow", bind=True)
def purge(self: Any) -> dict[str, int]:
    """Deletes expired keys and marks of unique calls, in every database that holds keys."""
    aliases = {getattr(one, "idempotency_database", "default") for one in self.app.tasks.values()}
    old = {"expires_at__lt": timezone.now()}
    keys = [Key.objects.using(alias).filter(**old) for alias in sorted(aliases)]
    counts = {
        "keys": sum(purging.delete(rows) for rows in keys),
        "calls": purging.delete(UniqueCall.objects.filter(**old)),
    }
    logger.info("purged: %(keys)d idempotency keys, %(calls)d marks of unique calls", counts)
    return counts
