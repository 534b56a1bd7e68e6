"""How Django reaches its database: `settings(parsed DATABASE_URL)` is its entry in DATABASES."""

from typing import Any

SQLITE_OPTIONS = {
    # As Django ships it, SQLite fails under several workers: "database is locked".
    "transaction_mode": "IMMEDIATE",  # take the write lock at the start, where waiting works
    "timeout": 20,  # seconds to wait for it
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def settings(parsed: dict[str, Any]) -> dict[str, Any]:
    """An entry of DATABASES: tuned for SQLite, checked before use for PostgreSQL."""
    if parsed["ENGINE"].endswith("sqlite3"):
        return {**parsed, "OPTIONS": {**SQLITE_OPTIONS, **parsed.get("OPTIONS", {})}}
    return {**parsed, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
