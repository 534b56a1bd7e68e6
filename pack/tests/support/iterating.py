"""Tasks that iterate: `-I tests.support.iterating` serves them."""

import time
from typing import Any

from django.db import transaction

from dutiful.idempotency import IdempotentTask
from dutiful.task import task
from dutiful.task.models import DispatchToken
from tests.support.tasks import SOON, note

ROWS = 60
NUMBERS = 400


@task(name="iterating.rows", urgency="average", runtime="slow", bind=True)
def rows(self: Any, key: str, pause: float, every: float) -> None:
    """Notes each row's key."""
    note(f"{key}:runs", "run")
    mine = DispatchToken.objects.filter(holder=key).order_by("-taken_at")
    for row in self.iterate(mine, every=every):
        note(key, row.key)
        time.sleep(pause)


@task(name="iterating.slices", urgency="average", runtime="slow", bind=True, soft_time_limit=2)
def slices(self: Any, key: str, rows: int) -> None:
    """Takes longer than its soft time limit."""
    note(f"{key}:runs", "run")
    for number in self.iterate(range(rows)):
        note(key, str(number))
        time.sleep(0.1)


@task(name="iterating.exact", urgency="average", runtime="slow", bind=True)
def exact(self: Any, key: str, pause: float) -> None:
    """Has one effect for each number, in the transaction that saves the place."""
    numbers = self.iterate(range(NUMBERS))
    for number in numbers:
        with transaction.atomic():
            DispatchToken.objects.create(key=f"{key}:{number}", holder=key)
            numbers.save()
        note(key, str(number))
        time.sleep(pause)


@task(name="iterating.fails", urgency="average", runtime="slow", bind=True, retry_policy=SOON)
def fails(self: Any, key: str) -> None:
    """Fails once, at number 5."""
    for number in self.iterate(range(10), every=0):
        note(key, str(number))
        if number == 5 and self.request.retries == 0:
            raise OSError("not yet")


@task(base=IdempotentTask, name="iterating.keyed", urgency="average", runtime="slow", bind=True)
def keyed(self: Any, key: str, pause: float) -> None:
    """Runs a loop and has one effect."""
    note(f"{key}:runs", "run")
    for number in self.iterate(range(ROWS)):
        note(key, str(number))
        time.sleep(pause)
    with self.effect():
        DispatchToken.objects.create(key=key, holder=key)
