"""Reports a task that keeps a database connection while it waits for something else.

Threads share a few connections (dutiful/catalogue/profiles.py). A task that runs a query and then
waits a minute for an HTTP service keeps its connection from other tasks for that minute. Where
connections are not shared, an open transaction does harm, since its locks stay. The time is
measured from the end of one query to the next, or to the end of the task. A query costs two clock
readings.
"""

import logging
import threading
import time
from typing import Any, Final

from django.db import connections
from django.db.backends.signals import connection_created

from dutiful.errors.sentry import setup

LONGEST_SECONDS: Final = 5.0
"""The longest time between two queries of a task that is not reported."""
QUIET_SECONDS: Final = 600.0
"""Between two reports of one task from one process."""

logger = logging.getLogger(__name__)
_reported: dict[str, float] = {}
"""time.monotonic() of the last report, by task."""


class _Here(threading.local):
    task: str | None = None
    queried_at = 0.0
    """time.monotonic() of the end of the last query; 0 before the first."""
    longest = 0.0
    locks = False


_here = _Here()


def connect() -> None:
    """Watches connections that this process opens from now on."""
    connection_created.connect(_on_new, dispatch_uid="task_holds")


def begin(task: Any) -> None:
    """Starts to measure. Called before a task, in its thread or process."""
    _here.task, _here.queried_at, _here.longest = task.name, 0.0, 0.0


def end(opened: bool) -> None:
    """Reports the longest wait. Called after a task, before its connections are given back.

    `opened`: the thread may have connections.
    """
    for connection in connections.all(initialized_only=True) if opened else ():
        if connection.connection is not None:
            _measure(connection)
    task, _here.task = _here.task, None
    now = time.monotonic()
    if (
        task is None
        or not _here.longest
        or now - _reported.get(task, -QUIET_SECONDS) < QUIET_SECONDS
    ):
        return
    _reported[task] = now
    what = "an open transaction" if _here.locks else "a shared database connection"
    report = (
        f"{task} held {what} for {_here.longest:.0f} s without a query: see Long calls in"
        " `python -m dutiful docs database`"
    )
    logger.warning(report)
    setup.warn(report, task)


def _on_new(connection: Any, **_: Any) -> None:
    if connection.vendor == "postgresql":
        _here.queried_at = time.monotonic()
        if _watch not in connection.execute_wrappers:
            connection.execute_wrappers.append(_watch)


def _watch(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    if _here.task is None:
        return execute(sql, params, many, context)
    _measure(context["connection"])
    try:
        return execute(sql, params, many, context)
    finally:
        _here.queried_at = time.monotonic()


def _measure(connection: Any) -> None:
    idle = time.monotonic() - _here.queried_at if _here.queried_at else 0.0
    if idle <= max(LONGEST_SECONDS, _here.longest) or connection.vendor != "postgresql":
        return
    locks = bool(connection.connection and connection.connection.pgconn.transaction_status)
    if locks or connection.pool is not None:
        _here.longest, _here.locks = idle, locks
