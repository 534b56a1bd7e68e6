"""Behind a PgBouncer in transaction mode: two sessions of the server for all, and nothing leaks."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, manage, wait_for
from tests.support import faulty
from tests.support.pgbouncer import SESSIONS, PgBouncer
from tests.support.postgres import own_postgres

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bouncer(start: Callable[..., Running]) -> Iterator[PgBouncer]:
    with (
        own_postgres() as server,
        PgBouncer(server.folder.parent / "bouncer", server) as bouncer,
    ):
        server.sql(faulty.TABLES)
        migrated = start(manage("migrate", "-v0"), {"DATABASE_URL": server.url()})
        assert migrated.wait() == 0, migrated.log
        yield bouncer


def marks(bouncer: PgBouncer, key: str) -> list[tuple[int, int]]:
    sql = f"SELECT part, tries FROM effects WHERE key = '{key}' ORDER BY part"
    return [(part, tries) for part, tries in bouncer.server.sql(sql)]


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_tasks_behind_a_pgbouncer(bouncer: PgBouncer, start_worker: StartWorker, pool: str) -> None:
    environment = {"DATABASE_URL": bouncer.url, "DATABASE_PGBOUNCER": "1"}
    queues = "urgent_fast,average_fast"
    flags = ("-Q", queues, "-P", pool, "-c", "4", "-I", "tests.support.faulty")
    worker = start_worker(*flags, environment=environment)
    keys = [str(uuid4()) for _ in range(20)]
    for key in keys:
        faulty.work.delay(key, [])
        faulty.read.delay(f"read-{key}")
    for key in keys:
        wait_for("both marks", lambda key=key: marks(bouncer, key) == [(1, 0), (2, 0)])  # type: ignore[misc]
        wait_for("the mark", lambda key=key: marks(bouncer, f"read-{key}") == [(1, 0)])  # type: ignore[misc]
    faulty.limits_within.delay("within")
    wait_for("the limits", lambda: len(marks(bouncer, "within")) == 3)
    assert marks(bouncer, "within") == [(0, 90_000), (1, 10_000), (2, 130_000)]
    faulty.limits.delay("without")
    wait_for("the limits", lambda: len(marks(bouncer, "without")) == 3)
    assert marks(bouncer, "without") == [(0, 0), (1, 0), (2, 0)]  # nobody's outlived its own
    sessions = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    assert bouncer.server.sql(sessions)[0][0] <= SESSIONS
    with psycopg.connect(bouncer.url, autocommit=True) as other:
        assert other.execute("SHOW statement_timeout").fetchall() == [("0",)]
    assert "Traceback" not in worker.log
