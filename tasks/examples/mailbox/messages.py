"""The mails that the development SMTP server wrote into settings.MAILBOX_DIR, one file each."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest

NEWEST: Final = 50


@dataclass(frozen=True)
class Mail:
    name: str
    """Its file's name."""
    to: str
    subject: str
    sent: datetime
    message_id: str
    text: str


def open_to(request: HttpRequest) -> bool:
    """Only in development, and only to this machine: anybody's mails lie there."""
    if settings.ENVIRONMENT != "development":
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def newest() -> list[Mail]:
    """At most NEWEST mails, the last one first."""
    return [_read(file) for file in _files()[:NEWEST]]


def named(name: str) -> Mail | None:
    """The mail in the file of that name. Names are compared, never joined to a path."""
    return next((_read(file) for file in _files() if file.name == name), None)


def _files() -> list[Path]:
    found = Path(settings.MAILBOX_DIR).glob("*.eml")
    return sorted(found, key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)


def _read(file: Path) -> Mail:
    with file.open("rb") as content:
        parsed = BytesParser(EmailMessage, policy=policy.default).parse(content)
    body = parsed.get_body(("plain",))
    return Mail(
        name=file.name,
        to=str(parsed["To"] or ""),
        subject=str(parsed["Subject"] or "(no subject)"),
        sent=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        message_id=str(parsed["Message-ID"] or ""),
        text=str(body.get_content()) if body else "(no text part)",
    )
