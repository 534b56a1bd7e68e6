"""A worker on a database of its own: what is sent to it, and what it leaves there."""

from typing import Final
from uuid import uuid4

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import Running, wait_for
from tests.support import faulty

POOL: Final = 4
"""What four threads share (dutiful/catalogue/profiles.py)."""


class World:
    """A worker on a server of its own: sends tasks, looks at what they left."""

    def __init__(self, postgres: Postgres, start: StartWorker) -> None:
        self.postgres, self._start = postgres, start
        self.worker: Running

    def begin(
        self, pool: str = "threads", queue: str = "urgent_fast", slots: int = 4, **more: str
    ) -> None:
        """`more` are variables of its environment."""
        flags = ("-Q", queue, "-P", pool, "-c", str(slots), "-I", "tests.support.faulty")
        environment = {"DATABASE_URL": self.postgres.url(), **more}
        self.worker = self._start(*flags, environment=environment)

    def send(self, *between: str, first: str = "SELECT 1") -> str:
        key = str(uuid4())
        faulty.work.delay(key, list(between), first)
        return key

    def marks(self, key: str) -> list[tuple[int, int]]:
        """(part, retries) of what is committed."""
        sql = f"SELECT part, tries FROM effects WHERE key = '{key}' ORDER BY part"
        return [(part, tries) for part, tries in self.postgres.sql(sql)]

    def backends(self, what: str = "true") -> list[int]:
        """Server processes of clients other than this."""
        sql = (
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            f" AND pid <> pg_backend_pid() AND {what}"
        )
        return [pid for (pid,) in self.postgres.sql(sql)]

    def meets(self, key: str, retries: int | None = 1) -> None:
        """Done, whole and once, in that try (None: in any); nobody was harmed."""
        wait_for("both marks", lambda: len(self.marks(key)) == 2, 60)
        ((_, tried), (_, same)) = self.marks(key)
        assert tried == same
        assert retries is None or tried == retries
        assert self.worker.popen.poll() is None
        ours = "application_name <> 'test'"
        assert len(self.backends(ours)) <= POOL + 2
        wait_for(
            "no open transaction", lambda: not self.backends(f"{ours} AND state LIKE 'idle in%'")
        )

    def running(self, sql: str) -> list[int]:
        found: list[int] = wait_for(
            sql, lambda: self.backends(f"state = 'active' AND query LIKE '{sql}%'")
        )
        return found
