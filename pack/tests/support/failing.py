"""Tasks that end for good, each in its own way: `-I tests.support.failing` serves them."""

import contextlib
import time
from typing import Any

import redis
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from dutiful.task import task
from dutiful.task.retries import NEVER, PermanentError, Retry

ONCE_MORE = Retry(times=1, backoff=0.0, floor=0.1)


class Unwelcome(PermanentError):
    """An error with a reason of its own, and arguments that cannot be pickled."""

    reason = "unwelcome"

    def __init__(self, who: str, why: str) -> None:
        super().__init__(f"{who}: {why}")


class Odd(Exception):
    """An error that cannot be pickled, since its message is not its argument."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")


def client() -> Any:
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, decode_responses=True)


def note(key: str, value: str) -> int:
    with client() as connected:
        return int(connected.rpush(f"test:{key}", value))


@task(name="failing.charge", urgency="average", runtime="fast", retry_policy=ONCE_MORE)
def charge(number: int, healed: str) -> None:
    """Fails until its dependency is back: a key in Redis."""
    with client() as connected:
        if not connected.exists(healed):
            raise ConnectionError(f"payments are away for order {number}")
    note(f"{healed}:charged", str(number))


@task(name="failing.refuse", urgency="average", runtime="fast")
def refuse(who: str) -> None:
    raise Unwelcome(who, "not on the list")


@task(name="failing.odd", urgency="average", runtime="fast", retry_policy=NEVER)
def odd() -> None:
    raise Odd(500, "no")


@task(name="failing.reject", urgency="average", runtime="fast")
def reject() -> None:
    raise Reject("not mine", requeue=False)


@task(name="failing.late", urgency="average", runtime="fast", dead_letter_expired=True)
def late() -> None:
    """Is sent with an expiry in the past."""


@task(name="failing.early", urgency="average", runtime="fast", acks_late=False, retry_policy=NEVER)
def early() -> None:
    """Is acknowledged before it runs."""
    raise ValueError("too early")


@task(
    name="failing.hang",
    urgency="average",
    runtime="slow",
    retry_policy=NEVER,
    soft_time_limit=1,
    time_limit=2,
)
def hang() -> None:
    """Ignores its soft time limit."""
    with contextlib.suppress(SoftTimeLimitExceeded):
        time.sleep(3)
    time.sleep(3)


@task(name="failing.rolls_back", urgency="average", runtime="fast", bind=True, retry_policy=NEVER)
def rolls_back(self: Any, key: str, how: str) -> None:
    """Asks for a retry inside a transaction, once."""
    with transaction.atomic():
        Group.objects.create(name=f"{key}-{self.request.retries}")
        if self.request.retries == 0:
            note(key, "first")
            if how == "goes on":
                self.retry(countdown=0.1, max_retries=1, throw=False)
                raise Reject("rolled back", requeue=False)
            if how == "swallows":
                with contextlib.suppress(Exception):
                    self.retry(countdown=0.1, max_retries=1)
                raise ValueError("and then this")
            raise self.retry(countdown=0.1, max_retries=1)
    note(key, "second")


@task(name="failing.replaces", urgency="average", runtime="fast", bind=True, retry_policy=NEVER)
def replaces(self: Any, key: str, how: str) -> None:
    """Replaces itself by another task inside a transaction."""
    with transaction.atomic():
        Group.objects.create(name=key)
        if how == "swallows":
            with contextlib.suppress(Ignore):
                self.replace(stands_in.si(key))
            raise ValueError("and then this")
        signature = stands_in.si(key)
        raise self.replace(signature | stands_in.si(key) if how == "chain" else signature)


@task(name="failing.stands_in", urgency="average", runtime="fast", retry_policy=NEVER)
def stands_in(key: str) -> None:
    """Notes whether the writes of the replaced task were rolled back."""
    note(key, f"{Group.objects.filter(name=key).count()} written")
