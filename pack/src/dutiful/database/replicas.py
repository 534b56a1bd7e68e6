"""Replicas of the database: their environment variables and their entries in DATABASES.

Without REPLICA_URLS there is no alias, no router and no stamp on a message (docs/database.md).
dutiful.replicas decides which task reads from which replica.
"""

from typing import Any, Final

from dutiful import env
from dutiful.database import connections
from dutiful.variables import EnvError, Var, number, words

POSTGRES: Final = ("postgres://", "postgresql://")
READ_ONLY: Final = "-c default_transaction_read_only=on"


def postgres_urls(value: str) -> list[str]:
    found = words(value)
    if not all(url.startswith(POSTGRES) for url in found):
        raise ValueError("is not URLs that begin with postgres://, separated by commas")
    return found


postgres_urls.__name__ = "URLs"

REPLICA_URLS = Var(
    "REPLICA_URLS",
    postgres_urls,
    "",
    "Streaming replicas of DATABASE_URL, one URL a server, separated by commas. Empty: none.",
    True,
)
REPLICA_MAX_LAG_SECONDS = Var(
    "REPLICA_MAX_LAG_SECONDS", number, "60", "A replica that is further behind is not used."
)
REPLICA_MAX_LAG_MB = Var(
    "REPLICA_MAX_LAG_MB",
    number,
    "8",
    "A replica that lacks more of the write-ahead log is not used.",
)
REPLICA_READS = Var(
    "REPLICA_READS",
    words,
    "",
    "Urgencies, queues or tasks that read from a replica if the task itself declares nothing.",
)
REPLICA_HOLD = Var(
    "REPLICA_HOLD",
    words,
    "",
    "Urgencies, queues or tasks that wait while every replica is too far behind.",
)
REPLICA_HOLD_SECONDS = Var(
    "REPLICA_HOLD_SECONDS", number, "600", "The longest that such a task waits before it runs."
)


def aliases() -> list[str]:
    """replica1, replica2, … in the order of REPLICA_URLS."""
    return [f"replica{place}" for place in range(1, len(REPLICA_URLS.get()) + 1)]


def databases(kind: str) -> dict[str, dict[str, Any]]:
    """Their entries in DATABASES, for a process of this kind (dutiful/catalogue/process.py).

    Raises EnvError if the primary is not PostgreSQL.
    """
    urls = REPLICA_URLS.get()
    if urls and not env.DATABASE_URL.get().startswith(POSTGRES):
        raise EnvError("REPLICA_URLS is set, so DATABASE_URL must be a postgres:// URL too.")
    return {alias: _entry(url, kind) for alias, url in zip(aliases(), urls, strict=True)}


def routers() -> list[str]:
    """The value of DATABASE_ROUTERS. Your own routers come before it."""
    return ["dutiful.replicas.router.Router"] if REPLICA_URLS.get() else []


def _entry(url: str, kind: str) -> dict[str, Any]:
    pgbouncer = env.DATABASE_PGBOUNCER.get()
    entry = connections.settings(env.database(url), pgbouncer, kind)
    options = dict(entry["OPTIONS"])
    if not pgbouncer:  # PgBouncer refuses this option; the server refuses writes anyway
        options["options"] = f"{options.get('options', '')} {READ_ONLY}".strip()
    # In Django's tests a replica is the test database itself, so that it has the test's rows.
    return {**entry, "OPTIONS": options, "TEST": {"MIRROR": "default"}}
