"""Copies of the alerts that fire, on the broker and in the database; one of them is enough.

The original is in the monitor's memory. A copy keeps the next monitor from reporting twice, and the
status page reads it. Methods raise RedisError, OSError or django.db.Error.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from django.db import transaction

from dutiful.monitoring.alerts.alert import Alert, Severity
from dutiful.monitoring.alerts.models import AlertRecord

KEY: Final = "dutiful:monitor:alerts"
KEEP: Final = timedelta(days=90)
"""How long the database keeps resolved alerts."""
Copy = tuple[float, list[Alert]]
"""When it was made (epoch seconds), and the alerts that fired then."""


class Copies(Protocol):
    """A place of a copy."""

    def load(self) -> Copy | None: ...
    def save(self, now: float, firing: Sequence[Alert]) -> None: ...


class OnBroker:
    """A copy in one key of a Redis. `client()` is a redis.Redis, `prefix()` goes before the key."""

    def __init__(self, client: Callable[[], Any], prefix: Callable[[], str] = str) -> None:
        self._client, self._prefix = client, prefix

    def load(self) -> Copy | None:
        raw = self._client().get(self._prefix() + KEY)
        if not raw:
            return None
        copy = json.loads(raw)
        return float(copy["at"]), [_alert(each) for each in copy["firing"]]

    def save(self, now: float, firing: Sequence[Alert]) -> None:
        copy = {"at": now, "firing": [asdict(each) for each in firing]}
        self._client().set(self._prefix() + KEY, json.dumps(copy))


class InDatabase:
    """One row an alert; resolved ones stay for KEEP."""

    def load(self) -> Copy | None:
        latest = AlertRecord.objects.order_by("-saved_at").first()
        if latest is None:
            return None
        rows = AlertRecord.objects.filter(resolved_at=None)
        return latest.saved_at.timestamp(), [_alert(row.data) for row in rows]

    def save(self, now: float, firing: Sequence[Alert]) -> None:
        at = _time(now)
        with transaction.atomic():
            for alert in firing:
                AlertRecord.objects.update_or_create(
                    key=alert.key,
                    fired_at=_time(alert.fired_at),
                    defaults={
                        "rule": alert.rule,
                        "subject": alert.subject,
                        "severity": str(alert.severity),
                        "text": alert.text,
                        "since": _time(alert.since),
                        "reported_at": None
                        if alert.reported_at is None
                        else _time(alert.reported_at),
                        "resolved_at": None,
                        "saved_at": at,
                        "data": asdict(alert),
                    },
                )
            open_ones = AlertRecord.objects.filter(resolved_at=None)
            keys = {(alert.key, _time(alert.fired_at)) for alert in firing}
            over = [row.pk for row in open_ones if (row.key, row.fired_at) not in keys]
            AlertRecord.objects.filter(pk__in=over).update(resolved_at=at, saved_at=at)
            AlertRecord.objects.filter(resolved_at__lt=at - KEEP).delete()


def newest(*copies: Copy | None) -> list[Alert]:
    """The alerts of the newest copy."""
    known = [copy for copy in copies if copy is not None]
    return max(known, key=lambda copy: copy[0])[1] if known else []


def _alert(data: dict[str, Any]) -> Alert:
    return Alert(
        **{
            **data,
            "severity": Severity(data["severity"]),
            "advice": tuple(data.get("advice") or ()),
        }
    )


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
