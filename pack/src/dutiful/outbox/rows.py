"""Inserts, releases and deletes rows. Functions raise django.db.Error where the database fails."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connections, router
from django.utils import timezone

from dutiful.outbox.models import OutboxMessage
from dutiful.publishing.message import Prepared

State = OutboxMessage.State


@cache
def alias() -> str:
    """Django's alias of the database that the outbox is in."""
    return router.db_for_write(OutboxMessage)


def keep(messages: Sequence[Prepared], lease: float, why: str = "") -> list[int]:
    """Inserts messages as rows that no relay takes for `lease` seconds. Returns primary keys."""
    now = timezone.now()
    due = now + timedelta(seconds=lease)
    if len(messages) == 1 and connections[alias()].features.can_return_columns_from_insert:
        return [_insert(messages[0], now, due, why)]
    rows = [
        OutboxMessage(
            task_id=message.id,
            task=message.task,
            exchange=message.exchange,
            queue=message.queue,
            text=message.text,
            created_at=now,
            due_at=due,
            error=why,
        )
        for message in messages
    ]
    OutboxMessage.objects.using(alias()).bulk_create(rows, batch_size=1000)
    return [row.pk for row in rows]


def _insert(message: Prepared, now: datetime, due: datetime, why: str) -> int:
    """Inserts one row, at half the cost of a model's save."""
    connection = connections[alias()]
    values = {
        "task_id": message.id,
        "task": message.task,
        "exchange": message.exchange,
        "queue": message.queue,
        "text": message.text,
        "state": State.WAITING.value,
        "created_at": connection.ops.adapt_datetimefield_value(now),
        "due_at": connection.ops.adapt_datetimefield_value(due),
        "attempts": 0,
        "error": why,
    }
    table = connection.ops.quote_name(OutboxMessage._meta.db_table)
    marks = ", ".join(["%s"] * len(values))
    statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks}) RETURNING id"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values.values()))
        return int(cursor.fetchone()[0])


def delete(keys: Iterable[int]) -> None:
    """Deletes rows in one statement, without Django's collector."""
    connection = connections[alias()]
    if connection.vendor == "postgresql" and not _prepares(connection):
        # Nobody waits for the disk: a delete that a crash of the server undoes is a message sent
        # again. In a transaction of others that is for them to decide.
        soon = "" if connection.in_atomic_block else "SET LOCAL synchronous_commit TO OFF; "
        table = connection.ops.quote_name(OutboxMessage._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"{soon}DELETE FROM {table} WHERE id = ANY(%s)", [list(keys)])  # noqa: S608
        return
    rows = OutboxMessage.objects.using(alias()).filter(pk__in=list(keys))
    rows._raw_delete(alias())


def _prepares(connection: Any) -> bool:
    """Whether the server binds the parameters: then it takes one statement at a time."""
    return bool(connection.settings_dict["OPTIONS"].get("server_side_binding"))


def release(keys: Iterable[int], why: str) -> None:
    """Leaves rows to the relay, at once; `why` is noted as their error."""
    OutboxMessage.objects.using(alias()).filter(pk__in=list(keys)).update(
        due_at=timezone.now(), error=why
    )


def there(keys: Iterable[int]) -> set[tuple[int, str]]:
    """The (primary key, task id) of those rows that are in the database."""
    rows = OutboxMessage.objects.using(alias()).filter(pk__in=list(keys), state=State.WAITING)
    return set(rows.values_list("pk", "task_id"))
