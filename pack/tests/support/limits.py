"""Tasks that overstay or leak: a worker loads them with `-I tests.support.limits`."""

import contextlib
import logging
import os
import time
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction

from dutiful.errors.logs.lines import Lines
from dutiful.task import task
from dutiful.task.retries import NEVER
from dutiful.worker.memory import watch
from tests.support.tasks import SOON, note

LEAKED: list[bytearray] = []
GATE = 5.0
"""Seconds of a call that nothing interrupts."""


@task(name="limits.cleans_up", urgency="average", runtime="fast", soft_time_limit=1)
def cleans_up(key: str) -> None:
    """Catches its soft limit, as a task with something to tidy up does."""
    try:
        while True:
            time.sleep(0.05)
    except SoftTimeLimitExceeded:
        note(key, "tidied up")


@task(
    name="limits.in_transaction",
    urgency="average",
    runtime="fast",
    retry_policy=SOON,
    soft_time_limit=1,
)
def in_transaction(key: str) -> None:
    """The first try is interrupted while a transaction begins: nothing ends it."""
    first = note(key, "run") == 1
    if first:
        transaction.atomic().__enter__()
        while True:
            time.sleep(0.05)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    note(key, "committed")


@task(
    name="limits.deaf",
    urgency="average",
    runtime="fast",
    bind=True,
    retry_policy=SOON,
    soft_time_limit=1,
    time_limit=2,
)
def deaf(self: Any, key: str) -> str:
    """The first try sits in a call that no limit interrupts, past the hard one, then goes on."""
    if note(key, f"try {self.request.retries}") == 1:
        with contextlib.suppress(BaseException):
            time.sleep(GATE)
    return f"try {self.request.retries}"


@task(
    name="limits.spins",
    urgency="average",
    runtime="fast",
    retry_policy=SOON,
    soft_time_limit=1,
    time_limit=2,
)
def spins(key: str) -> str:
    """The first try swallows every Exception, as careless loops do."""
    first = note(key, "run") == 1
    while first:
        try:
            time.sleep(0.05)
        except Exception:  # noqa: BLE001  # that is what makes it careless
            continue
    return "done"


@task(
    name="limits.blocked",
    urgency="average",
    runtime="fast",
    retry_policy=NEVER,
    soft_time_limit=1,
    time_limit=1,
)
def blocked(key: str) -> None:
    """Sits in one call for ever: its thread is lost."""
    note(key, "run")
    time.sleep(600)


@task(name="limits.leaves", urgency="average", runtime="fast", retry_policy=SOON)
def leaves(key: str) -> str:
    """Calls sys.exit() the first time."""
    if note(key, "run") == 1:
        raise SystemExit(3)
    return "done"


@task(name="limits.quick", urgency="average", runtime="fast")
def quick(key: str) -> None:
    """Notes that it ran."""
    note(key, "run")


@task(name="limits.leaks", urgency="average", runtime="fast")
def leaks(key: str, megabytes: int) -> None:
    """Keeps what it took."""
    LEAKED.append(bytearray(b"x") * (megabytes * 1024 * 1024))
    note(key, "run")


@task(name="limits.leaks_in_child", urgency="average", runtime="slow", bound="compute")
def leaks_in_child(key: str, megabytes: int) -> None:
    """Keeps what it took, in a child of the prefork pool."""
    leaks.run(key, megabytes)


@task(name="limits.pid_of_child", urgency="average", runtime="slow", bound="compute")
def pid_of_child(key: str) -> None:
    """Notes where it ran."""
    note(key, str(os.getpid()))


@task(name="limits.waits", urgency="average", runtime="fast")
def waits(key: str, seconds: float) -> None:
    """Waits, and takes next to nothing."""
    time.sleep(seconds)
    note(key, "run")


@task(name="limits.batched", urgency="average", runtime="fast", ignore_result=False)
def batched() -> list[bool]:
    """Whether the handlers of this worker's log write in batches."""
    return [each.batching for each in logging.getLogger().handlers if isinstance(each, Lines)]


@task(name="limits.breaks_its_thread", urgency="average", runtime="fast")
def breaks_its_thread() -> None:
    """What the pool does after it fails once, as where memory runs out between two tasks."""
    assert watch._watch is not None
    pool: Any = watch._watch.pool
    after = pool.after_task

    def breaks(_: str) -> None:
        pool.after_task = after
        raise MemoryError

    pool.after_task = breaks
