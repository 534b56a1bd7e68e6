"""The rows of `UniqueTask`, in one or two statements each: which call of a key waits or runs."""

from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from dutiful.idempotency.models import UniqueCall

# A valid mark keeps its holder and counts one more duplicate. Its row is locked until the caller
# commits, so that the holder starts (or ends) after that and sees what the caller wrote.
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
    """Marks a call. Returns the task id that holds the key: the given one, or an earlier call's."""
    now = timezone.now()
    times: list[Any] = [now, now + timedelta(seconds=seconds)]
    times = [connection.ops.adapt_datetimefield_value(time) for time in times]
    with connection.cursor() as cursor:
        cursor.execute(MARK, [key, task, task_id, *times])
        return str(cursor.fetchone()[0])


def drop(key: str, task_id: str) -> None:
    """Deletes the mark, at the start of a run: a later call is no duplicate."""
    UniqueCall.objects.filter(pk=key, task_id=task_id).delete()


def begin(key: str, task_id: str, seconds: float) -> None:
    """Marks the call as running, for `seconds`. This run does the work of all calls so far."""
    until = timezone.now() + timedelta(seconds=seconds)
    UniqueCall.objects.filter(pk=key, task_id=task_id).update(
        state=UniqueCall.State.RUNNING, again=False, expires_at=until
    )


def end(key: str, task_id: str, next_id: str, seconds: float) -> bool:
    """Whether the task is to run once more; then `next_id` holds the key for `seconds`."""
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
