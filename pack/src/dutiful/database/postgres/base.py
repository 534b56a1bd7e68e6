"""Django's PostgreSQL backend with another pool and a cheaper check of a connection's health.

A pool is made at the first query of a process and is not used after a fork. Without OPTIONS["pool"]
each thread has a connection of its own, as in Django.
"""

import os
import select
import time
from typing import Any, Final

from django.db import connections
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base

from dutiful import extras
from dutiful.database.postgres import handover

extras.need("postgres", "The database engine dutiful.database.postgres")

import psycopg  # noqa: E402
from psycopg_pool import ConnectionPool, PoolTimeout  # noqa: E402

TRUSTED_SECONDS: Final = 5.0
"""Seconds for which a checked connection counts as healthy, unless its socket becomes readable."""
_inherited: Final[list[Any]] = []
"""Pools of a parent process. To delete one would wait for threads that only the parent has."""


class Pool(ConnectionPool[Any]):
    """psycopg's pool, whose waiting threads survive a restart of the server."""

    def __init__(self, **options: Any) -> None:
        super().__init__(reconnect_failed=_reconnect, **options)

    def getconn(self, timeout: float | None = None) -> Any:
        """A connection that answers. Raises PoolTimeout with the pool's numbers."""
        try:
            connection = super().getconn(timeout)
            if answers(connection):
                return connection
            self.putconn(connection)  # the pool replaces it, and check() all others that are dead
            self.check()
            return super().getconn(timeout)
        except PoolTimeout as error:
            found = self.get_stats()
            raise PoolTimeout(
                f"no database connection within {timeout or self.timeout:g} s:"
                f" {found['pool_size']} of {self.max_size} are open,"
                f" {found.get('requests_waiting', 0)} more threads wait,"
                f" {found.get('connections_errors', 0)} connects have failed"
            ) from error


def _reconnect(pool: ConnectionPool[Any]) -> None:
    """Connects again for waiting threads: psycopg gives up after `reconnect_timeout`."""
    if pool.get_stats().get("requests_waiting"):
        pool.check()


def answers(connection: Any) -> bool:
    """Whether the server still answers. A closed socket is noticed without a query."""
    try:
        quiet = not _readable(connection.fileno())
        known: float = vars(connection).get("answered_at", 0.0)
        if quiet and time.monotonic() - known < TRUSTED_SECONDS:
            return True
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    connection.answered_at = time.monotonic()
    return True


def _readable(fd: int) -> bool:
    poll = select.poll()  # select() supports no descriptor above 1023
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


_Django: Any = base.DatabaseWrapper  # its stubs lack pools


class DatabaseWrapper(_Django):
    """Django's wrapper. OPTIONS["pool"] are keyword arguments of `Pool`."""

    @property
    def pool(self) -> Any:
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options or self.alias == NO_DB_ALIAS:
            return None
        pools: dict[str, Any] = self._connection_pools
        if self.alias not in pools:
            made = Pool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                configure=self._configure_connection,
                open=False,
                **options,
            )
            pools.setdefault(self.alias, made)  # the first of several threads wins
        return pools[self.alias]

    def connect(self) -> None:
        with handover.undisturbed():
            super().connect()

    def close(self) -> None:
        # Not `_close`: whatever it raises, Django drops the connection afterwards.
        with handover.undisturbed():
            super().close()

    def is_usable(self) -> bool:
        """Called before the first query of a task or a request on a persistent connection."""
        return self.connection is not None and answers(self.connection)


def _forget() -> None:
    pools: dict[str, Any] = _Django._connection_pools
    if not pools:
        return
    _inherited.extend(pools.values())
    pools.clear()
    for connection in connections.all(initialized_only=True):
        _inherited.append(connection)
        del connections[connection.alias]


os.register_at_fork(after_in_child=_forget)
