"""Reads and changes idempotency keys, each with one short statement that holds no lock for long."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connections
from django.utils import timezone
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps, loads

from dutiful.idempotency.keys import StaleFence
from dutiful.idempotency.models import Key

logger = logging.getLogger(__name__)
RESULT_LIMIT: Final = 16 * 1024
"""The most bytes of a stored result, as JSON. Setting: IDEMPOTENCY_RESULT_LIMIT."""

# Inserts the key, or takes it over: from the same task id, from a run whose lease has ended, or
# when it has expired. Returns no row if the key is done or another run holds it.
TAKE: Final = f"""
INSERT INTO {Key._meta.db_table} AS known
    (key, task, task_id, fingerprint, state, fence, taken_at, lease_until, expires_at)
VALUES (%s, %s, %s, %s, 'running', %s, %s, %s, %s)
ON CONFLICT (key) DO UPDATE SET
    task = excluded.task, task_id = excluded.task_id, fingerprint = excluded.fingerprint,
    state = 'running', fence = known.fence + 1, taken_at = excluded.taken_at,
    lease_until = excluded.lease_until, expires_at = excluded.expires_at,
    done_at = NULL, result = NULL
WHERE known.expires_at < excluded.taken_at
    OR known.state = 'running' AND (
        known.task_id = excluded.task_id
        OR known.lease_until < excluded.taken_at AND known.fingerprint = excluded.fingerprint
    )
RETURNING fence
"""  # noqa: S608  # the table's name is ours
# The row need not reach the disk before the body begins: if PostgreSQL crashes and loses it, the
# effect finds no fence and rolls back. This halves the waits for the disk in a run.
NOT_FLUSHED: Final = ", set_config('synchronous_commit', 'off', true)"


@dataclass
class Run:
    """One run of a body under its key. `using` is the database alias, times are in seconds."""

    using: str
    key: str
    task: str
    task_id: str
    fingerprint: str
    lease: float
    keep: float
    fence: int = 0
    done: bool = False
    """Whether effect() has committed."""
    stored: bool = False
    """Whether effect() has also stored the result."""

    @property
    def rows(self) -> Any:
        """A queryset of the key's row, empty if another run has taken the key."""
        mine = Key.objects.using(self.using).filter(pk=self.key, fence=self.fence)
        return mine.filter(task_id=self.task_id)


def take(run: Run) -> bool:
    """Takes the key if it is free. Returns whether this run holds it.

    It commits at once, unless a transaction is open.
    """
    connection = connections[run.using]
    now = timezone.now()
    times = (now, now + timedelta(seconds=run.lease), now + timedelta(seconds=run.lease + run.keep))
    texts = [run.key, run.task, run.task_id, run.fingerprint]
    values = [*texts, time.time_ns() // 1000, *map(_adapter(connection), times)]
    quick = connection.vendor == "postgresql" and not connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(TAKE + NOT_FLUSHED * quick, values)
        found = cursor.fetchone()
    run.fence = found[0] if found else 0
    return found is not None


def look(run: Run) -> Key | None:
    """The row of the run's key, whichever run holds it."""
    return Key.objects.using(run.using).filter(pk=run.key).first()


def done(run: Run, result: Any = None) -> None:
    """Marks the key as done. Raises StaleFence if another run has taken it."""
    now = timezone.now()
    written = run.rows.filter(state=Key.State.RUNNING).update(
        state=Key.State.DONE,
        done_at=now,
        expires_at=now + timedelta(seconds=run.keep),
        result=_json(run, result),
    )
    if not written:
        raise StaleFence(f"another run has taken over {run.key}")


def keep_result(run: Run, result: Any) -> None:
    """Stores the body's return value after the effect."""
    run.rows.update(result=_json(run, result))


def release(run: Run) -> None:
    """Deletes the row after a failure, so that a redelivery, retry or replay starts afresh."""
    run.rows.filter(state=Key.State.RUNNING).delete()


def result(row: Key) -> Any:
    """The stored result."""
    return None if row.result is None else loads(row.result)


def _json(run: Run, value: Any) -> str | None:
    if value is None:
        return None
    limit = getattr(settings, "IDEMPOTENCY_RESULT_LIMIT", RESULT_LIMIT)
    try:
        text: str = dumps(value)
    except (TypeError, ValueError, EncodeError) as error:
        logger.warning("the result of %s is not JSON, so it is not stored: %s", run.key, error)
        return None
    if len(text.encode()) <= limit:
        return text
    warning = "the result of %s has %d bytes, the limit is %d, so it is not stored"
    logger.warning(warning, run.key, len(text.encode()), limit)
    return None


def _adapter(connection: Any) -> Any:
    def adapt(value: datetime) -> Any:
        return connection.ops.adapt_datetimefield_value(value)

    return adapt
