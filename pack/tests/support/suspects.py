"""Tasks that end their process, and others: a worker loads tests.support.suspects."""

import ctypes
import os
import signal
import sys
import time
from typing import Any

import redis
from django.conf import settings

from dutiful.task import task
from dutiful.task.retries import NEVER, Retry

TESTS = "tests"
"""The name of this module's connections: a test that cuts a worker's spares them."""
_spoilt = False
ONCE_MORE = Retry(times=1, backoff=0.0, floor=0.1)


def note(key: str, value: str) -> int:
    """Appends to a Redis list; returns the number of entries."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL, client_name=TESTS) as client:
        return int(client.rpush(f"test:{key}", value))


@task(name="suspects.die", urgency="average", runtime="slow", bound="compute")
def die(key: str, how: str = "kill", times: int = 1000, seconds: float = 0) -> str:
    """Ends its process so many times, then succeeds. Notes the parent of each try."""
    tries = note(key, str(os.getppid()))
    if tries <= times:
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "group":
            os.killpg(os.getpgrp(), signal.SIGKILL)
        if how == "segfault":
            ctypes.string_at(0)
        if how == "exit":
            sys.exit(3)
    time.sleep(seconds)
    return "survived"


@task(name="suspects.bystander", urgency="average", runtime="slow", bound="compute", bind=True)
def bystander(self: Any, key: str, seconds: float = 0.0) -> None:
    """Notes its start, and whether its message had gone back before."""
    note(key, "again" if self.request.delivery_info["redelivered"] else "start")
    time.sleep(seconds)


@task(name="suspects.innocent", urgency="average", runtime="slow", bound="compute")
def innocent(key: str) -> None:
    """Notes the process that ran it."""
    note(key, str(os.getpid()))


@task(name="suspects.spoil", urgency="average", runtime="slow", bound="compute")
def spoil(key: str) -> None:
    """Lives, and leaves a process behind in which `delicate` dies."""
    global _spoilt
    _spoilt = True
    note(key, str(os.getpid()))


@task(name="suspects.delicate", urgency="average", runtime="slow", bound="compute")
def delicate(key: str) -> None:
    note(key, str(os.getpid()))
    if _spoilt:
        os.kill(os.getpid(), signal.SIGKILL)


@task(
    name="suspects.slow_death",
    urgency="average",
    runtime="slow",
    bound="compute",
    retry_policy=ONCE_MORE,
    soft_time_limit=3,
    time_limit=4,
)
def slow_death(key: str) -> str:
    """Kills its child twice, overruns its hard limit once, then succeeds."""
    tries = note(key, str(os.getppid()))
    if tries <= 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if tries == 3:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                time.sleep(1)
            except BaseException:  # noqa: BLE001  # deaf to its soft limit
                continue
    return "survived"


@task(
    name="suspects.hungry", urgency="average", runtime="slow", bound="compute", retry_policy=NEVER
)
def hungry() -> None:
    """Stock Celery ends the whole worker."""
    raise MemoryError("no room")


@task(
    name="suspects.new_name",
    urgency="average",
    runtime="fast",
    aliases=("suspects.old_name",),
)
def renamed(key: str, value: str = "a default") -> str:
    """Had another name, and one argument."""
    note(key, value)
    return key


@task(name="suspects.confused", urgency="average", runtime="fast", retry_policy=ONCE_MORE)
def confused(key: str) -> None:
    """A TypeError from the body is an error like any other."""
    note(key, "run")
    len(5)  # type: ignore[arg-type]
