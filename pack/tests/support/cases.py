"""Every task of the pack, with what a test needs to run it twice: `CASES`.

`prepare()` makes what it works on and gives its arguments; `outcome(*arguments)` tells the rest.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import redis
from django.conf import settings
from django.utils import timezone

from dutiful.beat.models import Heartbeat, Tick
from dutiful.deadletters.models import Letter
from dutiful.idempotency.models import Call, Key
from dutiful.task.models import Claim
from dutiful.testing.cases import Case
from dutiful.transport.redis.dead import DeadLetters
from tests.support.letters import message

AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGES: Final = (timedelta(days=-400), timedelta(days=400))
"""Of rows that a purge deletes, and keeps."""


def old_and_new() -> tuple[()]:
    """One row of each kind that is past its time, and one that is not."""
    for model in (Tick, Claim, Key, Call, Letter):
        model._default_manager.all().delete()
    for age in AGES:
        at, name = timezone.now() + age, str(uuid4())
        Tick.objects.create(entry=name, scheduled_at=at, expires_at=at, fence=1)
        Claim.objects.create(key=name, holder="h", claimed_at=at)
        Call.objects.create(key=name, called_at=at, expires_at=at)
        Key.objects.create(key=name, claimed_at=at, lease_until=at, expires_at=at, fence=1)
        Letter.objects.create(
            source=name, died_at=at, state_at=at, state=Letter.State.DISCARDED, raw=b""
        )
    return ()


def left(*_: Any) -> list[int]:
    return [model._default_manager.count() for model in (Tick, Claim, Key, Call, Letter)]


def heart() -> tuple[()]:
    Heartbeat.objects.all().delete()
    return ()


def dead() -> tuple[()]:
    Letter.objects.all().delete()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        raw = json.dumps(message("app.gone", ["x"], queue="average_fast"))
        client.delete("dutiful:dead_letters")
        client.xadd(
            "dutiful:dead_letters", {"reason": "poison", "raw": raw, "list": "average_fast"}
        )
    return ()


def collected() -> tuple[int, int]:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        return Letter.objects.count(), DeadLetters(client).count()


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
