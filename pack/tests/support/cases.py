"""`CASES`: every task of the pack, with the functions that a test needs to run it twice.

`prepare()` makes its rows and returns its arguments; `outcome(*arguments)` returns the result.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import redis
from django.conf import settings
from django.utils import timezone

from dutiful.beat.models import Heartbeat, Tick
from dutiful.deadletters.models import DeadLetter
from dutiful.idempotency.models import Key, UniqueCall
from dutiful.task.models import DispatchToken
from dutiful.testing.cases import Case
from dutiful.transport.redis.dead import DeadLetters
from tests.support.letters import message

AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGES: Final = (timedelta(days=-400), timedelta(days=400))
"""Of rows that a purge deletes, and keeps."""


def old_and_new() -> tuple[()]:
    """Makes one expired row of each kind, and one that is kept."""
    for model in (Tick, DispatchToken, Key, UniqueCall, DeadLetter):
        model._default_manager.all().delete()
    for age in AGES:
        at, name = timezone.now() + age, str(uuid4())
        Tick.objects.create(entry=name, scheduled_at=at, expires_at=at, fence=1)
        DispatchToken.objects.create(key=name, holder="h", taken_at=at)
        UniqueCall.objects.create(key=name, called_at=at, expires_at=at)
        Key.objects.create(key=name, taken_at=at, lease_until=at, expires_at=at, fence=1)
        DeadLetter.objects.create(
            source=name, died_at=at, state_at=at, state=DeadLetter.State.DISCARDED, raw=b""
        )
    return ()


def left(*_: Any) -> list[int]:
    return [
        model._default_manager.count()
        for model in (Tick, DispatchToken, Key, UniqueCall, DeadLetter)
    ]


def heart() -> tuple[()]:
    Heartbeat.objects.all().delete()
    return ()


def dead() -> tuple[()]:
    DeadLetter.objects.all().delete()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        raw = json.dumps(message("app.gone", ["x"], queue="average_fast"))
        client.delete("dutiful:dead_letters")
        client.xadd(
            "dutiful:dead_letters", {"reason": "poison", "raw": raw, "list": "average_fast"}
        )
    return ()


def collected() -> tuple[int, int]:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        return DeadLetter.objects.count(), DeadLetters(client).count()


CASES: Final = {
    "dutiful.beat.heartbeat": Case(
        heart,
        lambda: list(Heartbeat.objects.values_list("queue", "due_at")),
        {"scheduled_at": AT.isoformat(), "enqueued_at": AT.timestamp()},
    ),
    "dutiful.beat.purge": Case(lambda: old_and_new() or (7,), left),
    "dutiful.deadletters.purge": Case(old_and_new, left),
    "dutiful.deadletters.tend": Case(dead, collected),
    "dutiful.idempotency.purge": Case(old_and_new, left),
}
