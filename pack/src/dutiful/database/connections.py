"""How Django reaches its database: `settings(parsed DATABASE_URL)` is its entry in DATABASES.

A process of many threads calls `share()` before its first query: they share a pool, as those of
beat and the monitor do. Every other one keeps a connection a thread, checked before its use: a
pool's child, a command.
"""

from typing import Any, Final

WEB_CONNECTIONS: Final = 4
"""The most that one web process opens: half as many as its threads (Procfile)."""
SHARED_CONNECTIONS: Final = {"beat": 2, "monitor": 2}
"""The same of processes whose few threads ask seldom: one for the loop, one for the rest."""
POOL_TIMEOUT: Final = 15
"""Seconds that a thread waits for a connection; a task then tries again later."""

SQLITE_OPTIONS = {
    # As Django ships it, SQLite fails under several workers: "database is locked".
    "transaction_mode": "IMMEDIATE",  # take the write lock at the start, where waiting works
    "timeout": 20,  # seconds to wait for it
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
POSTGRES_OPTIONS = {
    # Without these a host that is gone holds whoever connects for minutes, who asks for hours.
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

    `pgbouncer`: in transaction mode lies between; nothing may outlive a transaction. `kind` is what
    this process is (dutiful/catalogue/process.py), and so the server knows whose a connection is.
    """
    if parsed["ENGINE"].endswith("sqlite3"):
        return {**parsed, "OPTIONS": {**SQLITE_OPTIONS, **parsed.get("OPTIONS", {})}}
    # Of several hosts the one that takes writes: after a failover, another one.
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
    """From here on this process's threads share `most` connections to each PostgreSQL.

    Nothing for SQLite. Idle ones are closed one by one, down to none.
    """
    from django.db import connections

    connections.close_all()
    for found in connections.settings.values():
        if found["ENGINE"] == "dutiful.database.postgres":
            _pool(found, most)


def _pool(found: dict[str, Any], most: int) -> None:
    found["CONN_MAX_AGE"] = 0  # a thread gives it back after each task, each request
    found["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": most,
        "timeout": POOL_TIMEOUT,
        "max_idle": 10,  # seconds; each time that they pass, one connection nobody needed
        "reconnect_timeout": 2,  # seconds of growing waits; then at once again
    }
