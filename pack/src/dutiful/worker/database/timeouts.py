"""Sets PostgreSQL's statement and lock timeouts to what a task's queue allows.

So a query that would hold a slot for ever ends, and so does a wait for a lock that is never
released; the task is tried again. The timeouts are sent to the server only where the connection's
last task was of another queue.
"""

import threading
from typing import Any, Final

from django.db import Error, connections
from django.db.backends.signals import connection_created

from dutiful import env
from dutiful.catalogue.classes import QueueClass
from dutiful.conf.queues import by_name, known

_BOUNCED: Final = env.DATABASE_PGBOUNCER.get()
"""A PgBouncer gives a session to another client after each transaction, with its settings."""
_NAMES: Final = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


class _Here(threading.local):
    queue: str | None = None


_here = _Here()


def connect() -> None:
    """Sets timeouts on connections that workers in this process open from now on."""
    connection_created.connect(_on_new, dispatch_uid="task_timeouts")


def begin(task: Any, opened: bool) -> None:
    """Sets the timeouts of a task's queue. Called before it, in its thread or process.

    `opened`: the thread may have open connections, which get them now.
    """
    queue = (task.request.delivery_info or {}).get("routing_key")
    _here.queue = queue if known(queue) else None
    if _BOUNCED or not opened:
        return
    for connection in connections.all(initialized_only=True):
        connection.close_if_health_check_failed()
        if connection.connection is not None:
            try:
                _apply(connection)
            except Error:
                connection.close()  # the task's first query opens another one


def end() -> None:
    """Ends a task: connections that are opened from now on have the server's own timeouts."""
    _here.queue = None


def of(queue: QueueClass) -> tuple[int, ...]:
    """Returns a queue's timeouts in milliseconds, in the order of `_NAMES`."""
    return (
        queue.statement_timeout * 1000,
        queue.lock_timeout * 1000,
        queue.time_limit * 1000,  # a frozen or cut-off worker keeps its locks no longer
    )


def _on_new(connection: Any, **_: Any) -> None:
    if connection.vendor != "postgresql":
        return
    if not _BOUNCED:
        _apply(connection)
    elif _set_in_transaction not in connection.execute_wrappers:
        connection.execute_wrappers.append(_set_in_transaction)


def _apply(connection: Any) -> None:
    """Raises django.db.Error where the server is gone, as the task's own query would."""
    raw, wanted = connection.connection, _here.queue
    if connection.vendor != "postgresql" or vars(raw).get("limits_of") == wanted:
        return
    reset = "; ".join(f"RESET {name}" for name in _NAMES)
    with connection.wrap_database_errors:
        raw.execute(_set("SET", wanted) if wanted else reset)
    raw.limits_of = wanted


def _set_in_transaction(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    """Behind a PgBouncer: sets them with a transaction's first query, for that transaction only."""
    connection = context["connection"]
    raw = connection.connection
    if _here.queue and raw and not raw.autocommit and not raw.pgconn.transaction_status:
        with connection.wrap_database_errors:
            raw.execute(_set("SET LOCAL", _here.queue))
    return execute(sql, params, many, context)


def _set(how: str, queue: str) -> str:
    values = zip(_NAMES, of(by_name(queue)), strict=True)
    return "; ".join(f"{how} {name} = {value}" for name, value in values)
