"""Sends the rows that stayed behind: in order, in batches; any number of relays may run.

On PostgreSQL a relay locks its rows (SKIP LOCKED) until they are sent and deleted: one that is
killed holds nothing. Other databases would hold up every writer for that lock: there a
relay moves the `due_at` of its rows on, unless another relay has done so. That is a lease.
"""

import logging
import random
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from celery import signals
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone
from kombu.serialization import loads as deserialize
from kombu.utils.json import loads

from dutiful.outbox import options, rows
from dutiful.outbox.models import OutboxMessage
from dutiful.outbox.publisher import Sender
from dutiful.publishing import hooks
from dutiful.publishing.message import stamped
from dutiful.transport.redis.publisher import Parcel, Unavailable

State = OutboxMessage.State
UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError)
"""What the reading of a text that a person has edited may raise."""
logger = logging.getLogger(__name__)


class Relay:
    """One relay. `send()` sends a batch."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.sender = Sender(app, options.RELAY_SECONDS)
        self._unavailable = False

    def send(self) -> int:
        """How many were sent or refused; a whole BATCH means that more may wait.

        Raises Unavailable (they stay, and are due) or django.db.Error.
        """
        if self._unavailable:
            self.sender.pool.ping()  # before the rows are touched for nothing
            self._unavailable = False
        if not _due().exists():  # no lock is taken for nothing
            return 0
        with _claimed() as batch:
            if not batch:
                return 0
            _stamp(batch)
            errors = self._put(batch)
            unavailable = _settle(batch, errors)
        for row, error in zip(batch, errors, strict=True):
            if error is None:
                report_published(row)
        if unavailable is not None:
            self._unavailable = True
            raise unavailable
        return len(batch)

    def _put(self, batch: Sequence[OutboxMessage]) -> list[Exception | None]:
        errors: list[Exception | None]
        try:
            return self.sender.pool.put([parcel(row) for row in batch])
        except Unavailable as error:
            errors = [error] * len(batch)
        except UNREADABLE as error:  # one of them
            errors = [error] * len(batch)
        if len(batch) == 1 or not self._answers():
            return errors
        # The broker is there: one of them breaks the connection, and must not hold up the others.
        for number, row in enumerate(batch):
            (errors[number],) = self._put([row])
            if isinstance(errors[number], Unavailable) and self._answers():
                errors[number] = ValueError(f"the connection breaks on it: {errors[number]}")
        return errors

    def _answers(self) -> bool:
        try:
            self.sender.pool.ping()
        except Unavailable:
            return False
        return True


def _stamp(batch: Sequence[OutboxMessage]) -> None:
    """Stamps the rows. A position taken now follows their commits, since this query sees them."""
    if hooks.stamp is not None and (position := hooks.stamp({row.task for row in batch}, True)):
        for row in batch:
            row.text = stamped(row.text, position)


def parcel(row: OutboxMessage) -> Parcel:
    return Parcel(row.text, row.queue, row.exchange)


def report_published(row: OutboxMessage) -> None:
    """Sends the after_task_publish of a row that the broker has."""
    if not signals.after_task_publish.receivers:
        return
    message = loads(row.text)
    kind, encoding = message["content-type"], message["content-encoding"]
    body = deserialize(b64decode(message["body"]), kind, encoding, accept=[kind])
    signals.after_task_publish.send(
        sender=row.task,
        body=body,
        headers=message["headers"],
        exchange=row.exchange,
        routing_key=row.queue,
    )


def _due() -> Any:
    waiting = OutboxMessage.objects.using(rows.alias()).filter(state=State.WAITING)
    return waiting.filter(due_at__lte=timezone.now()).order_by("id")


@contextmanager
def _claimed() -> Iterator[list[OutboxMessage]]:
    """A batch of due rows that no other relay takes until the block ends (or the lease does)."""
    alias = rows.alias()
    if connections[alias].features.has_select_for_update_skip_locked:
        with transaction.atomic(using=alias):
            yield list(_due().select_for_update(skip_locked=True)[: options.BATCH])
        return
    lease = timezone.now() + timedelta(seconds=options.LEASE)
    with transaction.atomic(using=alias):
        due = _due()
        batch = list(due[: options.BATCH])
        taken = due.filter(pk__in=[row.pk for row in batch]).order_by().update(due_at=lease)
        if taken != len(batch):
            transaction.set_rollback(True, using=alias)
            batch = []
    yield batch


def _settle(
    batch: Sequence[OutboxMessage], errors: Sequence[Exception | None]
) -> Unavailable | None:
    """Deletes the rows that were sent and notes why the others were not.

    Returns the error of a broker that is unavailable; None: it answers.
    """
    rows.delete(row.pk for row, error in zip(batch, errors, strict=True) if error is None)
    now, unavailable = timezone.now(), None
    left: dict[str, list[int]] = {}
    for row, error in zip(batch, errors, strict=True):
        if isinstance(error, Unavailable):
            unavailable = error
            left.setdefault(str(error), []).append(row.pk)
        elif error is not None:
            _refused(row, error)
    for why, keys in left.items():
        OutboxMessage.objects.using(rows.alias()).filter(pk__in=keys).update(
            attempts=F("attempts") + 1, error=why, due_at=now
        )
    return unavailable


def _refused(row: OutboxMessage, error: Exception) -> None:
    """Puts one row off, each time for longer; after TRIES it waits for a person."""
    attempts = row.attempts + 1
    wait = min(3600.0, 2.0**attempts) * random.uniform(0.5, 1)
    last = attempts >= options.TRIES
    # Formatted here: a tracker is given the message, never its arguments.
    (logger.error if last else logger.warning)(
        f"the broker refuses {row} ({attempts} of {options.TRIES} tries): {error}"
    )
    OutboxMessage.objects.using(rows.alias()).filter(pk=row.pk).update(
        attempts=attempts,
        error=f"{type(error).__name__}: {error}",
        due_at=timezone.now() + timedelta(seconds=wait),
        state=State.REFUSED if last else State.WAITING,
    )
