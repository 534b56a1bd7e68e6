"""A position in PostgreSQL's write-ahead log, as a message carries it: "16/B374D848"."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db import DEFAULT_DB_ALIAS, Error, connections

from dutiful.database import reading
from dutiful.replicas.declared import PRIMARY, reads_of

# The insert position, not the flushed one: it also covers an asynchronous commit.
PRIMARYS = "SELECT pg_current_wal_insert_lsn()"


def parse(text: Any) -> int | None:
    """The position as a number, or None if the text is not one."""
    if not isinstance(text, str):
        return None
    high, slash, low = text.partition("/")
    try:
        return (int(high, 16) << 32) + int(low, 16) if slash else None
    except ValueError:
        return None


def formatted(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def stamp(names: Iterable[str], own_transaction: bool) -> str:
    """The primary's position now, for messages of tasks with these names; "" for none.

    A task whose message has none reads from the primary. That is so for tasks that always do,
    inside a transaction that is not committed yet, and while the primary does not answer.
    """
    if not any(_may_read_replicas(name) for name in names):
        return ""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.in_atomic_block and not own_transaction:
        return ""
    try:
        with reading.unnoticed(), connection.cursor() as cursor:
            cursor.execute(PRIMARYS)
            return str(cursor.fetchone()[0])
    except (Error, SynchronousOnlyOperation):
        return ""


def _may_read_replicas(name: str) -> bool:
    from celery import current_app  # late: the app's own start

    task = current_app.tasks.get(name)
    return task is None or reads_of(task) != PRIMARY
