"""Turns the server's error for a write on a replica into one that names the task.

The server refuses the write as a standby, and since the connection's transactions are read-only.
"""

from collections.abc import Callable
from typing import Any

from django.db import InternalError
from django.db.backends.signals import connection_created
from psycopg.errors import ReadOnlySqlTransaction

from dutiful.replicas.status import ALIASES
from dutiful.task.retries import PermanentError


class WroteOnReplica(PermanentError):
    """A statement that writes was sent to a replica, by `using=` or by a cursor of its own."""


def connect() -> None:
    """Guards each new connection to a replica."""
    connection_created.connect(_guard, dispatch_uid="dutiful.replicas")


def _guard(connection: Any, **_: Any) -> None:
    wrappers = connection.execute_wrappers
    if connection.alias in ALIASES and name_the_task not in wrappers:
        wrappers.append(name_the_task)


def name_the_task(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
) -> Any:
    """Raises WroteOnReplica instead of the database's error."""
    from celery import current_task  # late: the app's own start

    try:
        return execute(sql, params, many, context)
    except InternalError as error:
        if not isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise
        who = current_task.name if current_task else "this code"
        alias = context["connection"].alias
        raise WroteOnReplica(
            f"{who} writes on {alias}, which is read-only: let the router choose the database, or"
            f' name "default". {error}'.strip()
        ) from error
