"""A write on a replica is an error that names the task. The server itself refuses it, twice over:
as a standby, and as the connection's transactions are read-only."""

from collections.abc import Callable
from typing import Any

from django.db import InternalError
from django.db.backends.signals import connection_created
from psycopg.errors import ReadOnlySqlTransaction

from dutiful.replicas.status import ALIASES
from dutiful.task.retries import PermanentError


class WroteOnReplica(PermanentError):
    """A statement that writes went to a replica: by `using=`, or by a cursor of its own."""


def connect() -> None:
    """For each connection to a replica."""
    connection_created.connect(_guard, dispatch_uid="dutiful.replicas")


def _guard(connection: Any, **_: Any) -> None:
    wrappers = connection.execute_wrappers
    if connection.alias in ALIASES and named not in wrappers:
        wrappers.append(named)


def named(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
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
            f"{who} writes on {alias}, which is for reads: leave the database to the router, or"
            f' name "default". {error}'.strip()
        ) from error
