"""Measures the replicas every second, in one thread for each server with its own connection.

In a worker the main process measures for all its children. In other processes the first question
starts the threads. They close their connections after a while without a question.
"""

import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from celery import signals
from django.db import DEFAULT_DB_ALIAS, connections

from dutiful.replicas import status
from dutiful.replicas.status import ALIASES, ReplicaStatus

if TYPE_CHECKING:
    import psycopg  # at run time it is imported late: only a project with replicas needs it

INTERVAL: Final = 1.0
"""Seconds between two measurements."""
PRIMARYS: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
REPLICAS: Final = """
SELECT pg_is_in_recovery(),
       pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'),
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0'),
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
"""

logger = logging.getLogger(__name__)


class Watch:
    """The measuring threads of one process."""

    def __init__(self) -> None:
        self.primary: tuple[float, int] | None = None
        """When the primary was last measured, and its position then."""
        servers = [Primary(self), *(Replica(self, alias) for alias in ALIASES)]
        self._threads = [
            threading.Thread(target=each.run, name=f"watch-{each.alias}", daemon=True)
            for each in servers
        ]
        for thread in self._threads:
            thread.start()


class Server(ABC):
    """Measures one server every second, on a connection that is not Django's and in no pool."""

    def __init__(self, watch: Watch, alias: str) -> None:
        self.watch, self.alias = watch, alias
        self._connection: psycopg.Connection[Any] | None = None
        self._reported = False

    def run(self) -> None:
        while True:
            began = time.monotonic()
            if status.requested():
                self._measure_once()
            else:
                self.rest()
            time.sleep(max(0.0, began + INTERVAL - time.monotonic()))

    def _measure_once(self) -> None:
        import psycopg

        try:
            self.measure()
        except psycopg.Error as error:
            self.lost()
            if not self._reported:
                logger.warning("%s cannot be measured: %s", self.alias, str(error).strip())
                self._reported = True
        else:
            if self._reported:
                logger.info("%s can be measured again", self.alias)
                self._reported = False

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
        """Takes one measurement. Raises psycopg.Error."""

    def lost(self) -> None:
        self.close()

    def rest(self) -> None:
        self.close()


class Primary(Server):
    """Measures the position of the primary, from which the lag of the replicas is computed."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch, DEFAULT_DB_ALIAS)

    def measure(self) -> None:
        now = time.monotonic()
        self.watch.primary = (now, int(self.ask(PRIMARYS)[0]))


class Replica(Server):
    """Measures how far a replica is behind, in bytes and seconds.

    The seconds count from its last replayed commit or from the moment when it had all that the
    primary had, whichever is later: a primary without commits is no lag.
    """

    _complete = 0.0
    """When it last had all that the primary had."""

    def measure(self) -> None:
        known = self.watch.primary
        recovers, replayed, received, seconds = self.ask(REPLICAS)
        now = time.monotonic()
        if not recovers:
            import psycopg

            raise psycopg.OperationalError("it is no longer a replica: it was promoted")
        there = max(known[1] if known else 0, int(received or 0))
        behind = max(0, there - int(replayed or 0))
        if known and not behind:
            self._complete = known[0]
        since = [now - self._complete] * bool(self._complete)
        since += [float(seconds)] * (seconds is not None)
        lag = min(since, default=0.0) if behind else 0.0
        status.record(ReplicaStatus(self.alias, now, int(replayed or 0), behind, lag))

    def lost(self) -> None:
        super().lost()
        status.record_down(self.alias)

    def rest(self) -> None:
        super().rest()
        status.record_unknown(self.alias)


_watch: Watch | None = None
_parent_measures = False
"""Whether the worker's main process, which forked this one, measures for it."""
_lock = threading.Lock()


def ensure_running() -> None:
    """Makes sure that the replicas are measured. Returns before the first measurement."""
    status.request()
    if _watch is None and not _parent_measures:
        _begin()


def connect() -> None:
    """Connects to Celery's signals for a worker that starts (before it forks) and is ready."""
    signals.worker_init.connect(_leave_to_parent, dispatch_uid="dutiful.replicas")
    signals.worker_ready.connect(_begin, dispatch_uid="dutiful.replicas")
    os.register_at_fork(after_in_child=_forget)


def _leave_to_parent(**_: Any) -> None:
    global _parent_measures
    _parent_measures = True


def _begin(**_: Any) -> None:
    global _watch
    with _lock:
        if _watch is None:
            _watch = Watch()


def _forget() -> None:
    global _watch, _lock
    _watch, _lock = None, threading.Lock()
