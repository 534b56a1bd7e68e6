"""Two quick tasks that note which message they were. Load with `-I tests.support.rerouting`."""

from functools import cache

import redis
from django.conf import settings

from dutiful.task import task


@cache
def client() -> "redis.Redis":
    return redis.Redis.from_url(settings.CELERY_BROKER_URL)


@task(urgency="average", runtime="fast")
def even(number: int) -> None:
    client().rpush("test:all", number)


@task(urgency="average", runtime="fast")
def odd(number: int) -> None:
    client().rpush("test:all", number)
