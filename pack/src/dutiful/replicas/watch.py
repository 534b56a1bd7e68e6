"""Measures the replicas each second: a thread for each server, with a connection of its own.

In a worker its main process does, for all its children. Elsewhere whoever asks first begins it.
When nobody has asked for a while the connections are closed.
"""

import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from celery import signals
from django.db import DEFAULT_DB_ALIAS, connections

from dutiful.replicas import standing
from dutiful.replicas.standing import ALIASES, Standing

if TYPE_CHECKING:
    import psycopg  # at run time it is imported late: only a project with replicas needs it

SECOND: Final = 1.0
PRIMARYS: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
REPLICAS: Final = """
SELECT pg_is_in_recovery(),
       pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'),
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0'),
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
"""

logger = logging.getLogger(__name__)


class Watch:
    """One process's threads."""

    def __init__(self) -> None:
        self.primary: tuple[float, int] | None = None
        """When the primary was measured last, and its position then."""
        servers = [Primary(self), *(Replica(self, alias) for alias in ALIASES)]
        self._threads = [
            threading.Thread(target=each.run, name=f"watch-{each.alias}", daemon=True)
            for each in servers
        ]
        for thread in self._threads:
            thread.start()


class Server(ABC):
    """Asks one server, each second, on a connection that is not Django's: it is in no pool."""

    def __init__(self, watch: Watch, alias: str) -> None:
        self.watch, self.alias = watch, alias
        self._connection: psycopg.Connection[Any] | None = None
        self._told = False

    def run(self) -> None:
        while True:
            began = time.monotonic()
            if standing.asked():
                self._turn()
            else:
                self.rest()
            time.sleep(max(0.0, began + SECOND - time.monotonic()))

    def _turn(self) -> None:
        import psycopg

        try:
            self.measure()
        except psycopg.Error as error:
            self.lost()
            if not self._told:
                logger.warning("%s cannot be measured: %s", self.alias, str(error).strip())
                self._told = True
        else:
            if self._told:
                logger.info("%s is measured again", self.alias)
                self._told = False

    def ask(self, sql: str) -> Any:
        if self._connection is None:
            import psycopg

            params = connections[self.alias].get_connection_params()
            self._connection = psycopg.connect(**{**params, "autocommit": True})
        return self._connection.execute(sql.encode()).fetchone()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @abstractmethod
    def measure(self) -> None:
        """Raises psycopg.Error."""

    def lost(self) -> None:
        self.close()

    def rest(self) -> None:
        self.close()


class Primary(Server):
    """Its position is what replicas are behind of."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch, DEFAULT_DB_ALIAS)

    def measure(self) -> None:
        now = time.monotonic()
        self.watch.primary = (now, int(self.ask(PRIMARYS)[0]))


class Replica(Server):
    """How far it is behind. Seconds are those since its last replayed commit, or since it was seen
    with all that the primary had, whichever is less: a primary without commits is not a lag."""

    _complete = 0.0
    """When it was known to lack nothing."""

    def measure(self) -> None:
        known = self.watch.primary
        recovers, replayed, received, seconds = self.ask(REPLICAS)
        now = time.monotonic()
        if not recovers:
            import psycopg

            raise psycopg.OperationalError("it is no replica any more: it was promoted")
        there = max(known[1] if known else 0, int(received or 0))
        behind = max(0, there - int(replayed or 0))
        if known and not behind:
            self._complete = known[0]
        since = [now - self._complete] * bool(self._complete)
        since += [float(seconds)] * (seconds is not None)
        lag = min(since, default=0.0) if behind else 0.0
        standing.note(Standing(self.alias, now, int(replayed or 0), behind, lag))

    def lost(self) -> None:
        super().lost()
        standing.out(self.alias)

    def rest(self) -> None:
        super().rest()
        standing.forget(self.alias)


_watch: Watch | None = None
_elsewhere = False
"""A worker's main process measures for this one, which it forked."""
_lock = threading.Lock()


def wanted() -> None:
    """Sees that somebody measures. Returns at once; until the first measure nothing is known."""
    standing.ask()
    if _watch is None and not _elsewhere:
        _begin()


def connect() -> None:
    """Celery tells when a worker begins, before it forks, and when it is ready."""
    signals.worker_init.connect(_claim, dispatch_uid="dutiful.replicas")
    signals.worker_ready.connect(_begin, dispatch_uid="dutiful.replicas")
    os.register_at_fork(after_in_child=_forget)


def _claim(**_: Any) -> None:
    global _elsewhere
    _elsewhere = True


def _begin(**_: Any) -> None:
    global _watch
    with _lock:
        if _watch is None:
            _watch = Watch()


def _forget() -> None:
    global _watch, _lock
    _watch, _lock = None, threading.Lock()
