"""Makes an entry of DATABASES: `settings(parsed DATABASE_URL)`.

A process with many threads calls `share()` before its first query, and its threads share a pool.
The threads of beat and the monitor do so too. In other processes, such as a prefork child or a
command, each thread has a connection of its own, which is checked before use.
"""

from typing import Any, Final

WEB_CONNECTIONS: Final = 4
"""The most connections of one web process: half of its threads (Procfile)."""
SHARED_CONNECTIONS: Final = {"beat": 2, "monitor": 2}
"""The most connections of beat and the monitor: one for the loop, one for the other threads."""
POOL_TIMEOUT: Final = 15
"""Seconds that a thread waits for a connection; then a task fails and is retried."""

SQLITE_OPTIONS = {
    # With Django's defaults SQLite fails under several workers: "database is locked".
    "transaction_mode": "IMMEDIATE",  # take the write lock at the start, where waiting works
    "timeout": 20,  # seconds to wait for it
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
POSTGRES_OPTIONS = {
    # Without these, a connect to a host that is down takes minutes, and a query hours.
    "connect_timeout": 3,  # seconds
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}


def settings(
    parsed: dict[str, Any], pgbouncer: bool = False, kind: str = "command"
) -> dict[str, Any]:
    """An entry of DATABASES: tuned for SQLite, checked before use for PostgreSQL.

    With `pgbouncer` (transaction mode) nothing may outlive a transaction. `kind` is the kind of
    this process (dutiful/catalogue/process.py), which becomes the application_name of its
    connections.
    """
    if parsed["ENGINE"].endswith("sqlite3"):
        return {**parsed, "OPTIONS": {**SQLITE_OPTIONS, **parsed.get("OPTIONS", {})}}
    # Of several hosts, connect to the one that takes writes.
    several = {"target_session_attrs": "read-write"} if "," in parsed.get("HOST", "") else {}
    named = {"application_name": kind, **several}
    found = {
        **parsed,
        "ENGINE": "dutiful.database.postgres",
        "OPTIONS": {**POSTGRES_OPTIONS, **named, **parsed.get("OPTIONS", {})},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": pgbouncer,
    }
    if kind in SHARED_CONNECTIONS:
        _pool(found, SHARED_CONNECTIONS[kind])
    return found


def share(most: int) -> None:
    """From now on the threads of this process share `most` connections to each PostgreSQL.

    Idle connections are closed one by one. It does nothing for SQLite.
    """
    from django.db import connections

    connections.close_all()
    for found in connections.settings.values():
        if found["ENGINE"] == "dutiful.database.postgres":
            _pool(found, most)


def _pool(found: dict[str, Any], most: int) -> None:
    found["CONN_MAX_AGE"] = 0  # a thread returns it after each task or request
    found["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": most,
        "timeout": POOL_TIMEOUT,
        "max_idle": 10,  # seconds, after each of which one unused connection is closed
        "reconnect_timeout": 2,  # seconds of growing waits; then it starts again at once
    }
