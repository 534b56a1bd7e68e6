"""Of the hosts in DATABASE_URL workers use the one that takes writes, after a change too."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import wait_for
from dutiful.testing.replica import Replica
from tests.support import faulty
from tests.support.replica_world import servers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
WORDS = ("-Q", "urgent_fast", "-c", "2", "-I", "tests.support.faulty")


class Pair:
    """A primary, and a replica that becomes one."""

    def __init__(self, primary: Postgres, replica: Replica) -> None:
        self.primary, self.replica = primary, replica

    @property
    def url(self) -> str:
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.replica.port}"
        return f"postgres://postgres@{hosts}/postgres"

    def marks(self, server: Postgres, key: str) -> list[int]:
        sql = f"SELECT tries FROM effects WHERE key = '{key}'"
        return [tries for (tries,) in server.sql(sql)]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with servers() as (_, primary, replica):
        primary.sql(faulty.TABLES)
        wait_for("the replica", replica.caught_up)
        yield Pair(primary, replica)


def _work() -> str:
    key = str(uuid4())
    faulty.work.delay(key, [])
    return key


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_server_that_takes_no_writes_any_more_is_left(
    pair: Pair, start_worker: StartWorker, pool: str
) -> None:
    """Its sessions live on: a switch that only a write finds out."""
    worker = start_worker(*WORDS, "-P", pool, environment={"DATABASE_URL": pair.url})
    before = [_work() for _ in range(6)]
    wait_for("marks", lambda: all(len(pair.marks(pair.primary, key)) == 2 for key in before))
    wait_for("the replica", pair.replica.caught_up)
    pair.replica.promote()
    pair.primary.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    pair.primary.sql("SELECT pg_reload_conf()")
    after = [_work() for _ in range(6)]
    wait_for("marks", lambda: all(len(pair.marks(pair.replica, key)) == 2 for key in after))
    tries = [tried for key in after for tried in pair.marks(pair.replica, key)]
    assert max(tries) >= 1, "a write was refused, and tried again"
    assert not any(pair.marks(pair.primary, key) for key in after)
    assert worker.popen.poll() is None


def test_a_promoted_replica_is_found(pair: Pair, start_worker: StartWorker) -> None:
    start_worker(*WORDS, environment={"DATABASE_URL": pair.url})
    before = _work()
    wait_for("marks", lambda: len(pair.marks(pair.primary, before)) == 2)
    wait_for("the replica", pair.replica.caught_up)
    pair.primary.kill()
    meanwhile = _work()
    pair.replica.promote()
    after = _work()
    keys = (meanwhile, after)
    wait_for("marks", lambda: all(len(pair.marks(pair.replica, key)) == 2 for key in keys))
