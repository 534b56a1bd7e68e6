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
    """Has one effect after a while."""
    note(key, "body")
    time.sleep(seconds)
    with self.effect():
        Effect.objects.create(key=key)
    return key


@task(name="once.quiet", base=IdempotentTask, urgency="average", runtime="slow", bind=True)
def quiet(self: Any, key: str, result: Any = None) -> Any:
    """Does as `add`, but without a broker."""
    with self.effect():
        Effect.objects.create(key=key)
    return result


@task(name="once.tries", base=IdempotentTask, urgency="average", runtime="slow", bind=True)
def tries(self: Any, key: str) -> None:
    """Notes how many attempts failed before it."""
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
    """Fails this many times inside its effect."""
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
    """Kills its own process the first time, before its effect is committed."""
    body = note(key, "body")
    with self.effect():
        Effect.objects.create(key=key)
        if body == 1:
            os.kill(os.getpid(), signal.SIGKILL)


@task(name="once.step", base=IdempotentTask, urgency="average", runtime="slow", bind=True)
def step(self: Any, before: Any, key: str) -> str:
    """Notes its own key, as a member of chains and chords."""
    note(key, self.idempotency_key)
    with self.effect():
        Effect.objects.create(key=key)
    return key


@task(name="once.plain", urgency="average", runtime="slow")
def plain(key: str) -> None:
    """Has the same effect without idempotency."""
    with transaction.atomic():
        Effect.objects.create(key=key)


@task(name="once.halfway", urgency="average", runtime="slow")
def halfway(key: str) -> None:
    """Looks idempotent, but a kill between its two writes shows that it is not."""
    if not Effect.objects.filter(key=f"{key}:done").exists():
        Effect.objects.create(key=key)
        Effect.objects.create(key=f"{key}:done")


class Shared:
    key = ""


@task(name="once.shared", urgency="average", runtime="slow")
def shared(key: str) -> None:
    """Keeps its state where all threads share it."""
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
    """Uses a second effect in one run, which is refused."""
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
