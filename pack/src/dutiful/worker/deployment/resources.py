"""What a process of each line of the Procfile takes: database connections, and files.

Counted on real processes on a real PostgreSQL; a test counts them again.
"""

from typing import Final

from dutiful.catalogue import profiles
from dutiful.database.connections import SHARED_CONNECTIONS, WEB_CONNECTIONS
from dutiful.database.replicas import REPLICA_URLS
from dutiful.worker.deployment.procfile import Line

RELAY: Final = 1
"""A worker's own, idle: the outbox's relay."""
FILES: Final = 50
"""Open files and sockets of a process that does nothing, those to the servers apart."""
CHILD_FILES: Final = 10
"""What a prefork pool's main process holds for each child: pipes, semaphores."""
TASK_FILES: Final = 2
"""What a task opens itself: a file, a connection to some service."""
SQLITE_FILES: Final = 3
"""Of one connection: the database, its log, their index."""


def of_database(line: Line) -> tuple[int, int]:
    """Connections to one PostgreSQL: with heartbeats alone, and at most.

    Raises ProfileError where a worker's line has no profile.
    """
    measures = bool(REPLICA_URLS.get())  # how far replicas are behind: dutiful/replicas/watch.py
    if line.kind == "web":
        return 0, line.copies * (WEB_CONNECTIONS + measures)
    if line.kind.startswith("worker"):
        pool, slots = line.shape
        kept = slots if pool == "prefork" else RELAY  # a child keeps its own; a thread gives back
        return RELAY + kept, profiles.database_connections(pool, slots) + measures
    if line.kind in SHARED_CONNECTIONS:
        return (SHARED_CONNECTIONS[line.kind],) * 2
    return (0, 0) if line.kind == "flower" else (1, 1)


def of_files(line: Line, to_broker: int, sqlite: bool = False) -> int:
    """Descriptors of its hungriest process, at most; without web's clients.

    `to_broker`: connections to the broker, at most. SQLite has no pool: each thread has its own.
    """
    slots, each = line.threads if line.kind == "web" else 0, TASK_FILES
    if line.kind.startswith("worker"):
        pool, slots = line.shape
        each += CHILD_FILES * (pool == "prefork")
    database = SQLITE_FILES * (slots + 2) if sqlite else of_database(line)[1]
    return FILES + to_broker + database + slots * each
