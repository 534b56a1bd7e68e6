"""A database router: reads of a task go to its replica, all other queries to the primary."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS

from dutiful.database import reading
from dutiful.replicas.status import ALIASES

OWN = frozenset((DEFAULT_DB_ALIAS, *ALIASES))


class Router:
    """The last of DATABASE_ROUTERS, for queries that no other router decides."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return reading.alias() or _primary(hints)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return _primary(hints)

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        """The primary and its replicas count as one database."""
        return True if {one._state.db, other._state.db} <= OWN else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db in ALIASES else None


def _primary(hints: dict[str, Any]) -> str | None:
    """The primary, also for an object that came from a replica."""
    origin = getattr(getattr(hints.get("instance"), "_state", None), "db", None)
    return DEFAULT_DB_ALIAS if origin in OWN else None
