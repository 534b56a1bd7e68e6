"""Every task of the project, with what a test needs to run it twice: `CASES`.

`prepare()` makes what it works on and gives its arguments; `outcome(*arguments)` tells the rest.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from beat.models import Heartbeat, Tick
from broker.dead import DeadLetters
from tasks.deadletters.models import Letter
from tasks.examples.models import Export, Kill, Photo, Signup
from tasks.examples.photo.sample import paint
from tasks.idempotency.models import Call, Key
from tasks.models import Claim
from tests.support.letters import message
from tests.support.receivers import Receiver

AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGES: Final = (timedelta(days=-400), timedelta(days=400))
"""Of rows that a purge deletes, and keeps."""
seeds = count()
SERVICE: Final[list[Receiver]] = []
"""The one that EXAMPLES_WEBHOOK_URL leads to, last."""


@dataclass(frozen=True)
class Case:
    prepare: Callable[[], Sequence[Any]]
    outcome: Callable[..., Any]
    headers: Mapping[str, Any] = field(default_factory=dict)


def signup() -> tuple[str]:
    return (str(Signup.objects.create(email=f"{uuid4()}@example.com").pk),)


def mailed(pk: str) -> tuple[bool, int]:
    """Marked as mailed; how many different mails came, however often each."""
    row = Signup.objects.get(pk=pk)
    mails = [
        message_from_bytes(part)
        for file in Path(getattr(settings, "EMAIL_FILE_PATH", "")).iterdir()
        for part in file.read_bytes().split(b"-" * 79 + b"\n")
        if row.email.encode() in part
    ]
    assert mails, "none was found"
    return row.mailed_at is not None, len({mail["Message-ID"] for mail in mails})


def confirmed() -> tuple[str]:
    row = Signup.objects.create(email=f"{uuid4()}@example.com", confirmed_at=AT)
    return (str(row.pk),)


def told(pk: str) -> int:
    """How many different keys came for it, however often each: what the service would book."""
    email = Signup.objects.get(pk=pk).email
    return len({got.key for got in SERVICE[-1].got if got.json["email"] == email})


def export() -> tuple[str]:
    return (str(Export.objects.create(rows=4_500).pk),)


def written(pk: str) -> tuple[Any, ...]:
    row = Export.objects.get(pk=pk)
    with default_storage.open(row.file) as file:
        lines = file.read().splitlines()
    return row.state, row.written, len(lines), len(set(lines)), row.size


def photo() -> tuple[str, int]:
    content = ContentFile(paint(next(seeds)), name=f"{uuid4()}.jpg")
    return str(Photo.objects.create(file=content, uploaded_name="hills.jpg").pk), 1


def judged(pk: str, version: int) -> tuple[Any, ...]:
    row = Photo.objects.get(pk=pk)
    return row.accepted is not None, [found["check"] for found in row.findings]


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
        client.delete("dead_letters")
        client.xadd("dead_letters", {"reason": "poison", "raw": raw, "list": "average_fast"})
    return ()


def collected() -> tuple[int, int]:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        return Letter.objects.count(), DeadLetters(client).count()


CASES: Final = {
    "beat.heartbeat": Case(
        heart,
        lambda: list(Heartbeat.objects.values_list("queue", "due_at")),
        {"scheduled_at": AT.isoformat(), "enqueued_at": AT.timestamp()},
    ),
    "beat.purge": Case(lambda: old_and_new() or (7,), left),
    "deadletters.purge": Case(old_and_new, left),
    "deadletters.tend": Case(dead, collected),
    "examples.check_photo": Case(photo, judged),
    "examples.interrupted": Case(
        lambda: (str(Kill.objects.create().pk), 1), lambda pk, _: Kill.objects.filter(pk=pk).count()
    ),
    "examples.send_signup_mail": Case(signup, mailed),
    "examples.tell_signup": Case(confirmed, told),
    "examples.write_export": Case(export, written),
    "idempotency.purge": Case(old_and_new, left),
}
