"""A task that notes which of a batch it is. Workers load it with `-I tests.support.batches`."""

import redis
from django.conf import settings

from dutiful.task import task


@task(urgency="average", runtime="fast")
def noted(key: str, number: int, note: str = "") -> None:
    """Appends its number to a Redis list."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.rpush(f"test:{key}", number)
