"""Tasks that only the tests have: a worker loads them with `tests.support.settings`."""

import multiprocessing
import os
import signal
import time
from typing import Any

import redis
from django.conf import settings

from dutiful.task import task
from dutiful.task.retries import PermanentError, Retry

SOON = Retry(times=3, backoff=0.2, floor=0.1, cap=0.5)


def note(key: str, value: str) -> int:
    """Appends to a Redis list; the number of entries tells the try."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        return int(client.rpush(f"test:{key}", value))


@task(urgency="average", runtime="fast", bind=True, retry_policy=SOON)
def fails(self: Any, key: str, times: int) -> str:
    """Fails so many times, then succeeds."""
    if note(key, str(self.request.retries)) <= times:
        raise OSError("not yet")
    return "done"


@task(urgency="average", runtime="fast", retry_policy=SOON)
def permanent(key: str) -> None:
    """No other try would help."""
    note(key, "run")
    raise PermanentError("never")


@task(urgency="average", runtime="slow", bound="compute", retry_policy=SOON, soft_time_limit=1)
def overruns(key: str) -> str:
    """Runs past its soft limit the first time."""
    if note(key, "run") == 1:
        time.sleep(30)
    return "done"


@task(
    urgency="average",
    runtime="slow",
    bound="compute",
    retry_policy=SOON,
    soft_time_limit=1,
    time_limit=2,
)
def stubborn(key: str) -> str:
    """Ignores its soft limit the first time, so that it is stopped at the hard one."""
    if note(key, "run") == 1:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                time.sleep(1)
            except BaseException:  # noqa: BLE001  # that is what makes it stubborn
                continue
    return "done"


@task(urgency="average", runtime="slow", bound="compute", retry_policy=SOON)
def kills_its_child(key: str) -> str:
    """Ends the process it runs in, each time."""
    note(key, "run")
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@task(urgency="average", runtime="slow", bound="compute")
def long(key: str, seconds: float) -> None:
    """Notes its start and its end."""
    note(key, "start")
    time.sleep(seconds)
    note(key, "end")


@task(urgency="average", runtime="slow", thread_safe=False)
def legacy(key: str) -> None:
    """Keeps its state where all threads see it, so it needs a process."""
    note(key, multiprocessing.current_process().name)
