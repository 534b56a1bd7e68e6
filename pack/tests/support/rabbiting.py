"""Tasks for tests on RabbitMQ: `-I tests.support.rabbiting` serves them. They note in files."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from django.db import transaction

from dutiful.idempotency import IdempotentTask
from dutiful.task import task
from dutiful.task.models import DispatchToken
from dutiful.task.retries import NEVER, Retry

SOON = Retry(times=2, backoff=0.0, floor=0.1)


def note(path: str, word: str) -> int:
    """Adds a line; how many there are."""
    with Path(path).open("a") as file:
        file.write(f"{word}\n")
    return len(notes(path))


def notes(path: str | Path) -> list[str]:
    found = Path(path)
    return found.read_text().split("\n")[:-1] if found.exists() else []


@task(name="rabbiting.say", urgency="average", runtime="fast")
def say(path: str, word: str) -> str:
    note(path, word)
    return word.upper()


@task(name="rabbiting.last", urgency="average", runtime="slow")
def last(path: str, word: str, seconds: float) -> None:
    """Notes its start and its end."""
    note(path, f"start {word}")
    time.sleep(seconds)
    note(path, f"end {word}")


@task(name="rabbiting.again", urgency="average", runtime="fast", retry_policy=SOON)
def again(path: str) -> None:
    """Fails once."""
    if note(path, f"{time.time()}") == 1:
        raise OSError("not yet")


@task(name="rabbiting.fail", urgency="average", runtime="fast", retry_policy=NEVER)
def fail(word: str) -> None:
    raise ValueError(word)


@task(name="rabbiting.poison", urgency="average", runtime="slow", retry_policy=NEVER)
def poison(path: str) -> None:
    """Kills its process, each time."""
    note(path, "start")
    os.kill(os.getpid(), signal.SIGKILL)


@task(base=IdempotentTask, name="rabbiting.pay", urgency="average", runtime="slow", bind=True)
def pay(self: Any, path: str, seconds: float) -> None:
    """One effect; the first run is killed before it."""
    if note(path, "start") == 1:
        time.sleep(seconds)
    with self.effect(), transaction.atomic():
        DispatchToken.objects.create(key=f"{path}:{time.time()}", holder=path[-60:])
