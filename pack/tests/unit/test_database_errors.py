"""Which errors of a database are temporary, and how soon the task is retried."""

import sqlite3

import psycopg
import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from psycopg import errors
from psycopg_pool import PoolTimeout

from dutiful.task.database_errors import next_try, passes
from dutiful.task.retries import DATABASE, NEVER, QUICK, PermanentError, Retry


def wrapped(outer: type[Exception], inner: BaseException) -> Exception:
    """Django's error for a driver's error."""
    try:
        raise outer(str(inner)) from inner
    except outer as error:
        return error


def locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = "SQLITE_BUSY"
    return error


PASSING = [
    errors.AdminShutdown(),
    errors.CannotConnectNow(),
    errors.ConnectionFailure(),
    errors.DeadlockDetected(),
    errors.IdleInTransactionSessionTimeout(),
    errors.LockNotAvailable(),
    errors.QueryCanceled(),
    errors.SerializationFailure(),
    errors.TooManyConnections(),
    psycopg.OperationalError("server closed the connection unexpectedly"),
    PoolTimeout("no connection"),
    locked(),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_the_database_is_to_blame(error: Exception) -> None:
    assert passes(wrapped(OperationalError, error))


@pytest.mark.parametrize(
    ("outer", "error"),
    [
        (IntegrityError, errors.UniqueViolation()),
        (DataError, errors.NumericValueOutOfRange()),
        (ProgrammingError, errors.UndefinedTable()),
        (OperationalError, sqlite3.OperationalError("no such table: x")),
        (InterfaceError, errors.InvalidPassword()),
    ],
)
def test_the_task_is_to_blame(outer: type[Exception], error: Exception) -> None:
    if isinstance(error, sqlite3.Error):
        error.sqlite_errorname = "SQLITE_ERROR"
    assert not passes(wrapped(outer, error))
    assert not passes(error)


AWAY = wrapped(OperationalError, errors.AdminShutdown())


def test_quick_tries_come_before_the_tasks_own() -> None:
    waits = [next_try(QUICK, AWAY, attempt)[0] for attempt in range(DATABASE.times + QUICK.times)]
    assert None not in waits
    assert (waits[0] or 0) <= DATABASE.ceiling(0)
    assert next_try(QUICK, AWAY, DATABASE.times + QUICK.times)[0] is None
    assert next_try(QUICK, AWAY, 0)[1] == DATABASE.times + QUICK.times


def test_what_a_task_declares_stays() -> None:
    assert next_try(NEVER, AWAY, 0) == (None, 0)
    assert next_try(Retry(times=3, ignore=(OperationalError,)), AWAY, 0) == (None, 3)
    assert next_try(QUICK, PermanentError(), 0) == (None, QUICK.times)
    assert next_try(QUICK, OSError(), QUICK.times) == (None, QUICK.times)


def test_who_retries_other_errors_alone_retries_these_too() -> None:
    policy = Retry(times=1, on=(ZeroDivisionError,))
    assert next_try(policy, AWAY, DATABASE.times)[0] is not None
    assert next_try(policy, OSError(), 0)[0] is None
