"""The task of the upgrade test: it runs on the version before and on this one."""

import time

import redis
from django.conf import settings

from dutiful.task import task

BEGUN, DONE = "test:upgrade:begun", "test:upgrade:done"
"""Redis lists: the key of each run that began, and of each that came to its end."""


@task(name="upgrading.done", urgency="average", runtime="fast")
def done(key: str, seconds: float = 0.0) -> None:
    """Notes its key, sleeps, and notes it again; a run that is killed does not come to that."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.rpush(BEGUN, key)
        time.sleep(seconds)
        client.rpush(DONE, key)
