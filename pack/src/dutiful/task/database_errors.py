"""Errors of the database that soon pass, and that are no fault of the task.

PostgreSQL's are recognised by their SQLSTATE (its appendix A). An error without one means that the
connection has failed or that SQLite is locked.
"""

from dataclasses import replace
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connections
from django.db.utils import Error

from dutiful.task.retries import DATABASE, Retry

READ_ONLY: Final = "25006"
PASSING: Final = (
    "08",  # connection lost or refused
    READ_ONLY,  # after a failover the server is a replica and takes no writes
    "25P03",  # idle too long within a transaction
    "25P04",  # transaction too long
    "40",  # serialization failure, deadlock
    "53",  # too many connections, out of memory, disk full
    "55P03",  # lock not available: NOWAIT, or lock_timeout
    "57",  # statement timeout, terminated, shut down, starting up
    "58",  # the server's own disk
)
"""Prefixes of the SQLSTATEs of errors that a retry may avoid."""
BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")


def passes(error: BaseException) -> bool:
    """Whether the error is temporary, so that the same task may soon succeed."""
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
    """Closes this thread's connections and their pools after a replica has refused a write.

    New connections look for the primary among the hosts of DATABASE_URL, or behind its name.
    """
    if getattr(error.__cause__, "sqlstate", None) != READ_ONLY:
        return
    for connection in connections.all(initialized_only=True):
        raw, pool = connection.connection, getattr(connection, "pool", None)
        if raw is not None:
            raw.close()  # a pool would hand it out again
            connection.close()
        if pool is not None:
            pool.drain()


def next_try(policy: Retry, error: BaseException, attempt: int) -> tuple[float | None, int]:
    """Seconds until the next attempt (None after the last), and the number of retries in all.

    The quick retries of DATABASE come before those of the task's own policy, so that an outage does
    not use those up. `Retry(times=0)` and the errors in `ignore` stay as declared.
    """
    if not policy.times or isinstance(error, policy.ignore) or not passes(error):
        return policy.wait(error, attempt), policy.times
    times = DATABASE.times + policy.times
    if attempt < DATABASE.times:
        return DATABASE.wait(error, attempt), times
    return replace(policy, on=(Exception,)).wait(error, attempt - DATABASE.times), times
