"""Where this thread (or greenlet, or coroutine) reads: a replica, until it touches the primary.

From then on it reads there too, so it sees what it wrote, and never an older state than it saw.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections


@dataclass
class Reading:
    """One run's reads. `alias` is the replica."""

    alias: str
    touched: bool = False
    """The primary has been asked something."""

    def notice(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        """Around each statement on the primary (Django's execute_wrapper)."""
        self.touched = True
        return execute(sql, params, many, context)


_current: Final[ContextVar[Reading | None]] = ContextVar("reading", default=None)


def alias() -> str | None:
    """The replica to read from now; None: the primary."""
    found = _current.get()
    if found is None or found.touched or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return None
    return found.alias


@contextmanager
def on(alias: str | None) -> Iterator[None]:
    """Reads go to this replica until the primary is touched. None: to the primary."""
    if alias is None:
        yield
        return
    found = Reading(alias)
    token = _current.set(found)
    try:
        with connections[DEFAULT_DB_ALIAS].execute_wrapper(found.notice):
            yield
    finally:
        _current.reset(token)


@contextmanager
def unnoticed() -> Iterator[None]:
    """The pack's own bookkeeping inside a body: on the primary, and no touch of the task's."""
    found = _current.get()
    before = found.touched if found else False
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)
        if found:
            found.touched = before
