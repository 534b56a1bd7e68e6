"""Errors for which the database is to blame, and not the task: they pass, and soon.

By SQLSTATE (PostgreSQL's appendix A), which psycopg keeps; where there is none, the connection
itself has failed, or SQLite is locked.
"""

from dataclasses import replace
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connections
from django.db.utils import Error

from dutiful.task.retries import DATABASE, Retry

READ_ONLY: Final = "25006"
PASSING: Final = (
    "08",  # connection lost or refused
    READ_ONLY,  # the server takes no writes: it is a replica, since a failover
    "25P03",  # idle too long within a transaction
    "25P04",  # transaction too long
    "40",  # serialization failure, deadlock
    "53",  # too many connections, out of memory, disk full
    "55P03",  # lock not available: NOWAIT, or lock_timeout
    "57",  # statement timeout, terminated, shut down, starting up
    "58",  # the server's own disk
)
"""How the SQLSTATE begins of what another try may well escape."""
BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")


def passes(error: BaseException) -> bool:
    """Whether the same task may succeed in a moment: nothing is wrong with what it does."""
    if not isinstance(error, Error):
        return False
    cause: Any = error.__cause__ or error
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return str(state).startswith(PASSING)
    name = getattr(cause, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(BUSY)
    return isinstance(error, (OperationalError, InterfaceError))


def leave_replica(error: BaseException) -> None:
    """Drops this thread's connections, and its pools, after a write that a replica refused.

    New ones look for the primary, among the hosts of DATABASE_URL or behind its name.
    """
    if getattr(error.__cause__, "sqlstate", None) != READ_ONLY:
        return
    for connection in connections.all(initialized_only=True):
        raw, pool = connection.connection, getattr(connection, "pool", None)
        if raw is not None:
            raw.close()  # a pool would lend it again
            connection.close()
        if pool is not None:
            pool.drain()


def next_try(policy: Retry, error: BaseException, attempt: int) -> tuple[float | None, int]:
    """Seconds until the next try, or None after the last; and how many tries there are.

    The quick ones of DATABASE come before the task's own, so that an outage of any length costs
    none of those it was promised. A task of one try, and what it ignores, stay as declared.
    """
    if not policy.times or isinstance(error, policy.ignore) or not passes(error):
        return policy.wait(error, attempt), policy.times
    times = DATABASE.times + policy.times
    if attempt < DATABASE.times:
        return DATABASE.wait(error, attempt), times
    return replace(policy, on=(Exception,)).wait(error, attempt - DATABASE.times), times
