"""Counts the database statements of each thread, and the seconds that it waits for them.

A wrapper of Django's (`execute_wrappers`) counts each statement, commits included. Rows that
`iterator()` fetches later, and commands of a driver's own cursor, are not counted.
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
        """Statements, seconds. One list, since access to a thread's attribute is what costs."""


_thread = _Thread()


def spent() -> tuple[int, float]:
    """Statements and seconds of this thread so far."""
    queries, seconds = _thread.spent
    return queries, seconds


def since(then: tuple[int, float]) -> tuple[int, float]:
    """Statements and seconds of this thread since `spent()` returned `then`."""
    queries, seconds = _thread.spent
    return queries - then[0], seconds - then[1]


def connect() -> None:
    """Starts counting on all connections of this process and its children."""
    connection_created.connect(_count_on)


def _count_on(connection: BaseDatabaseWrapper, **_: Any) -> None:
    # Sent at each reconnect, while the wrapper stays.
    if _counted not in connection.execute_wrappers:
        connection.execute_wrappers.append(_counted)
        whole: Any = connection
        whole._commit = _timed(whole._commit)  # Django calls no wrapper for a commit


def _counted(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
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
