"""What a process of each Procfile entry takes: connections to the broker and the database, files.

The numbers were counted on real processes, with Redis (`CLIENT LIST`) and PostgreSQL; tests count
them again.
"""

from collections.abc import Iterable
from typing import Final

from dutiful.catalogue import profiles
from dutiful.database.connections import SHARED_CONNECTIONS, WEB_CONNECTIONS
from dutiful.database.replicas import REPLICA_URLS
from dutiful.worker.deployment.model import Process
from dutiful.worker.deployment.procfile import ProcfileEntry

# Connections to the broker.
WORKER: Final = 15
"""Of a worker's main process: claims, wake-ups, events, remote control, lease, gossip, counters."""
BEAT: Final = 8
"""Its lease, its publishes, its events, the outbox's relay, the history."""
MONITOR: Final = 10
"""Its snapshots, its lease, its copies."""
WEB_READER: Final = 2
"""Of a web process: counters and snapshots, for /metrics, /healthz/ and /status/."""
FLOWER: Final = 21
FLOWER_MOST: Final = 33
"""Ten connections of Celery's pool, those of its events, and those that a request opens."""
PUBLISHER: Final = 2
"""Of each thread or pool child that publishes."""

# Connections to the database.
RELAY: Final = 1
"""Of an idle worker: the outbox's relay."""

# Open files.
FILES: Final = 50
"""Open files and sockets of an idle process, without those to the servers."""
CHILD_FILES: Final = 10
"""What a prefork pool's main process keeps open for each child: pipes, semaphores."""
TASK_FILES: Final = 2
"""What a task opens itself: a file, a connection to a service."""
SQLITE_FILES: Final = 3
"""Of one connection: the database, its log, their index."""


def processes(
    entries: Iterable[ProcfileEntry], *, publishers: int, keeps_results: bool
) -> tuple[Process, ...]:
    """Returns the connections to the broker of each entry, as `of_broker` counts them."""
    return tuple(
        Process(entry.name, entry.count, *of_broker(entry, publishers, keeps_results))
        for entry in entries
    )


def of_broker(entry: ProcfileEntry, publishers: int, keeps_results: bool) -> tuple[int, int]:
    """Returns the connections of one process to the broker: idle, and at most.

    `publishers` is how many threads of a process publish at once (broker_pool_limit);
    `keeps_results` whether workers write results to the broker. Raises ProfileError where a
    worker's entry has no profile.
    """
    if entry.kind == "web":
        busy = PUBLISHER * min(entry.web_threads, publishers)
        count = entry.web_processes
        return count * (PUBLISHER + WEB_READER), count * (busy + WEB_READER)
    if entry.kind.startswith("worker"):
        # A child of a prefork pool has its own; threads share theirs.
        slots = entry.slots
        busy = slots if entry.pool == "prefork" else min(slots, publishers)
        return WORKER, WORKER + busy * PUBLISHER + slots * keeps_results
    return {
        "beat": (BEAT, BEAT),
        "monitor": (MONITOR, MONITOR),
        "flower": (FLOWER, FLOWER_MOST),
    }.get(entry.kind, (0, 0))


def of_database(entry: ProcfileEntry) -> tuple[int, int]:
    """Returns the connections of one process to one PostgreSQL: idle but for heartbeats, at most.

    Raises ProfileError where a worker's entry has no profile.
    """
    measures = bool(REPLICA_URLS.get())  # dutiful/replicas/watch.py measures the replicas' lag
    if entry.kind == "web":
        return 0, entry.web_processes * (WEB_CONNECTIONS + measures)
    if entry.kind.startswith("worker"):
        pool, slots = entry.pool, entry.slots
        kept = slots if pool == "prefork" else RELAY  # a child keeps its own; a thread returns it
        return RELAY + kept, profiles.database_connections(pool, slots) + measures
    if entry.kind in SHARED_CONNECTIONS:
        return (SHARED_CONNECTIONS[entry.kind],) * 2
    return (0, 0) if entry.kind == "flower" else (1, 1)


def of_files(entry: ProcfileEntry, to_broker: int, sqlite: bool = False) -> int:
    """Returns the most descriptors of an entry's largest process, without the web's clients.

    `to_broker`: its connections to the broker, at most. With SQLite each thread has its own
    connection. Raises ProfileError where a worker's entry has no profile.
    """
    slots, each = entry.web_threads if entry.kind == "web" else 0, TASK_FILES
    if entry.kind.startswith("worker"):
        slots = entry.slots
        each += CHILD_FILES * (entry.pool == "prefork")
    database = SQLITE_FILES * (slots + 2) if sqlite else of_database(entry)[1]
    return FILES + to_broker + database + slots * each
