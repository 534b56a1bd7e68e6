"""A task that keeps a connection while it waits for somebody else is told of.

Threads share a few connections (dutiful/catalogue/profiles.py). One that asks a query, then an HTTP
service for a minute, keeps it from others for all of that minute. Where it is not shared, an open
transaction is what harms: its locks stay. Measured between the end of one query and the next, or
the end of the task; that costs two looks at a clock.
"""

import logging
import threading
import time
from typing import Any, Final

from django.db import connections
from django.db.backends.signals import connection_created

from dutiful.errors.sentry import setup

LONGEST_SECONDS: Final = 5.0
"""What may lie between two queries of a task."""
QUIET_SECONDS: Final = 600.0
"""Between two reports of one task from one process."""

logger = logging.getLogger(__name__)
_told: dict[str, float] = {}


class _Here(threading.local):
    task: str | None = None
    asked_at = 0.0
    """time.monotonic() of the end of the last query; 0 before the first."""
    longest = 0.0
    locks = False


_here = _Here()


def connect() -> None:
    connection_created.connect(_on_new, dispatch_uid="task_holds")


def begin(task: Any) -> None:
    """Before a task, in its thread or process."""
    _here.task, _here.asked_at, _here.longest = task.name, 0.0, 0.0


def end(opened: bool) -> None:
    """After it, while it has its connections still; `opened`: it may have some."""
    for connection in connections.all(initialized_only=True) if opened else ():
        if connection.connection is not None:
            _look(connection)
    task, _here.task = _here.task, None
    now = time.monotonic()
    if task is None or not _here.longest or now - _told.get(task, -QUIET_SECONDS) < QUIET_SECONDS:
        return
    _told[task] = now
    what = "an open transaction" if _here.locks else "a shared database connection"
    said = (
        f"{task} held {what} for {_here.longest:.0f} s without a query: see Long calls in"
        " `python -m dutiful docs database`"
    )
    logger.warning(said)
    setup.warn(said, task)


def _on_new(connection: Any, **_: Any) -> None:
    if connection.vendor == "postgresql":
        _here.asked_at = time.monotonic()
        if _watch not in connection.execute_wrappers:
            connection.execute_wrappers.append(_watch)


def _watch(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    if _here.task is None:
        return execute(sql, params, many, context)
    _look(context["connection"])
    try:
        return execute(sql, params, many, context)
    finally:
        _here.asked_at = time.monotonic()


def _look(connection: Any) -> None:
    idle = time.monotonic() - _here.asked_at if _here.asked_at else 0.0
    if idle <= max(LONGEST_SECONDS, _here.longest) or connection.vendor != "postgresql":
        return
    locks = bool(connection.connection and connection.connection.pgconn.transaction_status)
    if locks or connection.pool is not None:
        _here.longest, _here.locks = idle, locks
