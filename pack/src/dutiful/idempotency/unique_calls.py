"""The marks of `UniqueTask`: which call waits or runs. Each function is one statement, or two."""

from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from dutiful.idempotency.models import UniqueCall

# A mark that stands keeps its holder, and notes one more duplicate; its row stays locked until the
# caller commits, so that the holder starts (or ends) after that and sees what the caller wrote.
MARK: Final = f"""
INSERT INTO {UniqueCall._meta.db_table} AS known
    (key, task, task_id, state, again, dropped, called_at, expires_at)
VALUES (%s, %s, %s, 'waiting', false, 0, %s, %s)
ON CONFLICT (key) DO UPDATE SET
    task_id = CASE WHEN known.expires_at < excluded.called_at
        THEN excluded.task_id ELSE known.task_id END,
    state = CASE WHEN known.expires_at < excluded.called_at
        THEN excluded.state ELSE known.state END,
    again = known.expires_at >= excluded.called_at AND known.state = 'running',
    dropped = CASE WHEN known.expires_at < excluded.called_at THEN 0 ELSE known.dropped + 1 END,
    called_at = CASE WHEN known.expires_at < excluded.called_at
        THEN excluded.called_at ELSE known.called_at END,
    expires_at = CASE WHEN known.expires_at < excluded.called_at
        THEN excluded.expires_at ELSE known.expires_at END
RETURNING task_id
"""  # noqa: S608  # the table's name is ours


def mark(key: str, task: str, task_id: str, seconds: float) -> str:
    """The task id that stands for the key: the one given, or that of an earlier call."""
    now = timezone.now()
    times: list[Any] = [now, now + timedelta(seconds=seconds)]
    times = [connection.ops.adapt_datetimefield_value(time) for time in times]
    with connection.cursor() as cursor:
        cursor.execute(MARK, [key, task, task_id, *times])
        return str(cursor.fetchone()[0])


def drop(key: str, task_id: str) -> None:
    """At the start: from here on a call is no duplicate."""
    UniqueCall.objects.filter(pk=key, task_id=task_id).delete()


def begin(key: str, task_id: str, seconds: float) -> None:
    """At the start, also of a redelivery: what was asked for until now, this run does."""
    until = timezone.now() + timedelta(seconds=seconds)
    UniqueCall.objects.filter(pk=key, task_id=task_id).update(
        state=UniqueCall.State.RUNNING, again=False, expires_at=until
    )


def end(key: str, task_id: str, next_id: str, seconds: float) -> bool:
    """Whether it is to run once more; then `next_id` stands for the key, for so long."""
    mine = UniqueCall.objects.filter(pk=key, task_id=task_id)
    if mine.filter(again=False).delete()[0]:
        return False
    now = timezone.now()
    return bool(
        mine.filter(again=True).update(
            task_id=next_id,
            state=UniqueCall.State.WAITING,
            again=False,
            dropped=0,
            called_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
    )
