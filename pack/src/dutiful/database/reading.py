"""The replica that this thread (or greenlet, or coroutine) reads from, until it uses the primary.

From then on it also reads from the primary, so that it sees its own writes and no older state.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections


@dataclass
class Reading:
    """The reads of one run. `alias` is the replica."""

    alias: str
    touched: bool = False
    """Whether the run has used the primary."""

    def notice(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        """Wraps each statement on the primary (Django's execute_wrapper)."""
        self.touched = True
        return execute(sql, params, many, context)


_current: Final[ContextVar[Reading | None]] = ContextVar("reading", default=None)


def alias() -> str | None:
    """The replica to read from now, or None for the primary."""
    found = _current.get()
    if found is None or found.touched or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return None
    return found.alias


@contextmanager
def on(alias: str | None) -> Iterator[None]:
    """Sends reads to this replica until the primary is used; None sends them to the primary."""
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
    """For the pack's own queries inside a body: they use the primary, and do not count as a use."""
    found = _current.get()
    before = found.touched if found else False
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)
        if found:
            found.touched = before
