"""What a thread asks of its databases, and how long it waits for their answers, commits too.

Django's own wrapper around each statement, put on a connection when it connects first. Rows that
`iterator()` fetches later, and commands of a driver's own cursor, are not seen.
"""

import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class _Thread(threading.local):
    def __init__(self) -> None:
        self.spent: list[Any] = [0, 0.0]
        """Statements, seconds. A list: a look into the thread's own costs more than the sums."""


_thread = _Thread()


def spent() -> tuple[int, float]:
    """Statements and seconds of this thread so far."""
    queries, seconds = _thread.spent
    return queries, seconds


def since(then: tuple[int, float]) -> tuple[int, float]:
    """Statements and seconds of this thread since `spent()` said `then`."""
    queries, seconds = _thread.spent
    return queries - then[0], seconds - then[1]


def connect() -> None:
    """From here on all connections of this process and its children are watched."""
    connection_created.connect(_watch)


def _watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    # It comes with each connect, and a wrapper outlives its connections.
    if _asked not in connection.execute_wrappers:
        connection.execute_wrappers.append(_asked)
        whole: Any = connection
        whole._commit = _timed(whole._commit)  # which Django sends past its wrappers


def _asked(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    began = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        spent = _thread.spent
        spent[0] += 1
        spent[1] += perf_counter() - began


def _timed(commit: Callable[[], None]) -> Callable[[], None]:
    def timed() -> None:
        began = perf_counter()
        try:
            commit()
        finally:
            _thread.spent[1] += perf_counter() - began

    return timed
