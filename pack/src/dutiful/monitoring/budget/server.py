"""Measures a PostgreSQL: its limits, and who uses how many connections."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from django.db import connections

from dutiful.catalogue.process import COMMAND
from dutiful.monitoring.budget.sums import RESERVE, Limit, Measured

KINDS: Final = ("web", "worker", "beat", "monitor", "flower", COMMAND)
"""The first words of the application_name of our processes."""
_LIMITS: Final = """
SELECT current_setting('max_connections')::int
       - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int,
       CASE WHEN rolsuper THEN -1 ELSE rolconnlimit END,
       CASE WHEN rolsuper THEN -1 ELSE datconnlimit END
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
"""
# A plain role cannot see the backend_type of others; background processes have no database.
_TAKEN: Final = """
SELECT datname = current_database(), usename = current_user, application_name, count(*)
FROM pg_stat_activity
WHERE coalesce(backend_type, 'client backend') = 'client backend'
      AND datid IS NOT NULL AND pid <> pg_backend_pid()
GROUP BY 1, 2, 3
"""


def measure(alias: str = "default") -> Measured:
    """Raises django.db.Error. Empty for a database without a server."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return Measured()
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS)
        all_, role, database = cursor.fetchone()
        cursor.execute(_TAKEN)
        rows = cursor.fetchall()
    own = connection.settings_dict["OPTIONS"].get("application_name", COMMAND)
    return of_rows({"max_connections": all_, "role": role, "database": database}, rows, own)


def of_rows(values: Mapping[str, int], rows: list[Any], own: str) -> Measured:
    """`rows` are: same database, same role, application_name, connections.

    `own` is the application_name of this process. Where DATABASE_URL gives all processes the same
    name, connections cannot be told apart.
    """
    taken: Counter[str] = Counter()
    live: Counter[str] = Counter()
    commands = 0
    for in_database, of_role, name, count in rows:
        taken["max_connections"] += count
        taken["role"] += count * of_role
        taken["database"] += count * in_database
        if not (in_database and of_role):
            continue
        if name != COMMAND and (name == own or name.partition("_")[0] in KINDS):
            live[name] += count
        else:
            commands += count
    ours = live.total() + min(commands, RESERVE)
    return Measured(
        tuple(
            Limit(name, value, taken[name], max(0, taken[name] - ours))
            for name, value in values.items()
            if value >= 0  # -1: none
        ),
        dict(live),
        commands,
    )
