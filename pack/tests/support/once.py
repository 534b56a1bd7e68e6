"""Idempotent and unique tasks for tests; `-I tests.support.once` serves them.

An Effect whose `file` is the key stands for the effect; Redis notes each body that began.
"""

import os
import signal
import time
from typing import Any

from django.db import transaction

from dutiful.drills.host.models import Effect
from dutiful.idempotency import IdempotentTask, UniqueTask
from dutiful.task import task
from dutiful.task.retries import NEVER
from tests.support.tasks import SOON, note


def effects(key: str) -> int:
    return Effect.objects.filter(key=key).count()


@task(name="once.add", base=IdempotentTask, urgency="average", runtime="slow", bind=True)
def add(self: Any, key: str, seconds: float = 0) -> str:
    """One effect, after a while."""
    note(key, "body")
    time.sleep(seconds)
    with self.effect():
        Effect.objects.create(key=key)
    return key


@task(name="once.quiet", base=IdempotentTask, urgency="average", runtime="slow", bind=True)
def quiet(self: Any, key: str, result: Any = None) -> Any:
    """As `add`, without a broker."""
    with self.effect():
        Effect.objects.create(key=key)
    return result


@task(name="once.tries", base=IdempotentTask, urgency="average", runtime="slow", bind=True)
def tries(self: Any, key: str) -> None:
    """Notes how many tries failed before it."""
    note(key, str(self.request.retries))


@task(
    name="once.fails",
    base=IdempotentTask,
    urgency="average",
    runtime="slow",
    bind=True,
    retry_policy=SOON,
)
def fails(self: Any, key: str, times: int) -> str:
    """Fails so many times, inside its effect."""
    body = note(key, self.idempotency_key)
    with self.effect():
        Effect.objects.create(key=key)
        if body <= times:
            raise OSError("not yet")
    return key


@task(
    name="once.dies",
    base=IdempotentTask,
    urgency="average",
    runtime="slow",
    bound="compute",
    bind=True,
)
def dies(self: Any, key: str) -> None:
    """Its process is killed the first time, with the effect made and not committed."""
    body = note(key, "body")
    with self.effect():
        Effect.objects.create(key=key)
        if body == 1:
            os.kill(os.getpid(), signal.SIGKILL)


@task(name="once.step", base=IdempotentTask, urgency="average", runtime="slow", bind=True)
def step(self: Any, before: Any, key: str) -> str:
    """A member of chains and chords: keeps its own key."""
    note(key, self.idempotency_key)
    with self.effect():
        Effect.objects.create(key=key)
    return key


@task(name="once.plain", urgency="average", runtime="slow")
def plain(key: str) -> None:
    """The same effect, without any of it."""
    with transaction.atomic():
        Effect.objects.create(key=key)


@task(name="once.halfway", urgency="average", runtime="slow")
def halfway(key: str) -> None:
    """Looks idempotent: a kill between its two writes shows that it is not."""
    if not Effect.objects.filter(key=f"{key}:done").exists():
        Effect.objects.create(key=key)
        Effect.objects.create(key=f"{key}:done")


class Shared:
    key = ""


@task(name="once.shared", urgency="average", runtime="slow")
def shared(key: str) -> None:
    """Keeps what is its own where all threads see it."""
    Shared.key = key
    time.sleep(0.01)
    Effect.objects.create(key=Shared.key)


@task(
    name="once.two",
    base=IdempotentTask,
    urgency="average",
    runtime="slow",
    bind=True,
    retry_policy=NEVER,
)
def two(self: Any, key: str) -> None:
    """The second effect of a run is refused."""
    for _ in range(2):
        with self.effect():
            Effect.objects.create(key=key)


@task(name="once.until_executing", base=UniqueTask, urgency="average", runtime="slow")
def until_executing(key: str, seconds: float = 0) -> None:
    note(key, "start")
    time.sleep(seconds)


@task(
    name="once.until_executed",
    base=UniqueTask,
    until="executed",
    urgency="average",
    runtime="slow",
    bind=True,
    retry_policy=SOON,
)
def until_executed(self: Any, key: str, seconds: float = 0, kill: bool = False) -> None:
    body = note(key, "start")
    time.sleep(seconds)
    if kill and body == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    note(f"{key}:end", "end")
