"""What a task's queue allows a query, told to PostgreSQL: statement and lock timeouts.

A slot that a query holds for ever, and a lock that nobody ever gives back, end by themselves; the
task tries again. Asked of the server only where a connection's last task was of another queue.
"""

import threading
from typing import Any, Final

from django.db import Error, connections
from django.db.backends.signals import connection_created

from dutiful import env
from dutiful.catalogue.classes import QueueClass
from dutiful.conf.queues import by_name, known

_BOUNCED: Final = env.DATABASE_PGBOUNCER.get()
"""A PgBouncer hands a session to somebody else after each transaction, with what was set in it."""
_NAMES: Final = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


class _Here(threading.local):
    queue: str | None = None


_here = _Here()


def connect() -> None:
    """For workers that start in this process."""
    connection_created.connect(_on_new, dispatch_uid="task_timeouts")


def begin(task: Any, opened: bool) -> None:
    """Before a task, in its thread or process. `opened`: it may have connections open already."""
    queue = (task.request.delivery_info or {}).get("routing_key")
    _here.queue = queue if known(queue) else None
    if _BOUNCED or not opened:
        return
    for connection in connections.all(initialized_only=True):
        connection.close_if_health_check_failed()
        if connection.connection is not None:
            try:
                _tell(connection)
            except Error:
                connection.close()  # the task's first query makes another


def end() -> None:
    """What comes now is nobody's task: the server's own limits."""
    _here.queue = None


def of(queue: QueueClass) -> tuple[int, ...]:
    """Milliseconds, in the order of `_NAMES`."""
    return (
        queue.statement_timeout * 1000,
        queue.lock_timeout * 1000,
        queue.time_limit * 1000,  # a worker that is frozen, or cut off, keeps no locks for longer
    )


def _on_new(connection: Any, **_: Any) -> None:
    if connection.vendor != "postgresql":
        return
    if not _BOUNCED:
        _tell(connection)
    elif _local not in connection.execute_wrappers:
        connection.execute_wrappers.append(_local)


def _tell(connection: Any) -> None:
    """Raises django.db.Error where the server is gone, as the task's own query would."""
    raw, wanted = connection.connection, _here.queue
    if connection.vendor != "postgresql" or vars(raw).get("limits_of") == wanted:
        return
    reset = "; ".join(f"RESET {name}" for name in _NAMES)
    with connection.wrap_database_errors:
        raw.execute(_set("SET", wanted) if wanted else reset)
    raw.limits_of = wanted


def _local(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    """Behind a PgBouncer: with the first query of each transaction, and no longer than that."""
    connection = context["connection"]
    raw = connection.connection
    if _here.queue and raw and not raw.autocommit and not raw.pgconn.transaction_status:
        with connection.wrap_database_errors:
            raw.execute(_set("SET LOCAL", _here.queue))
    return execute(sql, params, many, context)


def _set(how: str, queue: str) -> str:
    values = zip(_NAMES, of(by_name(queue)), strict=True)
    return "; ".join(f"{how} {name} = {value}" for name, value in values)
