"""Every task of the examples, with what a test needs to run it twice: `CASES`.

`prepare()` makes what it works on and gives its arguments; `outcome(*arguments)` tells the rest.
"""

from datetime import UTC, datetime
from email import message_from_bytes
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from dutiful.testing.cases import Case
from dutiful.testing.receivers import Receiver
from tasks.examples.models import Export, Kill, Photo, Signup
from tasks.examples.photo.sample import paint

AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
seeds = count()
SERVICE: Final[list[Receiver]] = []
"""The one that EXAMPLES_WEBHOOK_URL leads to, last."""


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


CASES: Final = {
    "examples.check_photo": Case(photo, judged),
    "examples.interrupted": Case(
        lambda: (str(Kill.objects.create().pk), 1), lambda pk, _: Kill.objects.filter(pk=pk).count()
    ),
    "examples.send_signup_mail": Case(signup, mailed),
    "examples.tell_signup": Case(confirmed, told),
    "examples.write_export": Case(export, written),
}
