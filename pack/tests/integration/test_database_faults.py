"""What a database does to its users: each is another try, and no effect is doubled or half."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import wait_for
from tests.support import faulty
from tests.support.faults import POOL, World
from tests.support.postgres import own_postgres

pytestmark = [pytest.mark.django_db(transaction=True)]
MOST = 30
"""Connections that the server takes."""
POOLS = pytest.mark.parametrize("pool", ["threads", "prefork"])
SLEEP = "SELECT pg_sleep(60)"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with own_postgres(max_connections=str(MOST), log_connections="on") as server:
        server.sql(faulty.TABLES)
        yield server


@pytest.fixture
def world(postgres: Postgres, start_worker: StartWorker) -> World:
    return World(postgres, start_worker)


@pytest.fixture
def other(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else's transaction."""
    with psycopg.connect(postgres.url(), application_name="test") as connection:
        yield connection
        connection.rollback()


@POOLS
def test_a_connection_killed_in_the_middle_of_a_query(world: World, pool: str) -> None:
    world.begin(pool)
    key = world.send(SLEEP)
    (backend,) = world.running(SLEEP)
    world.postgres.sql(f"SELECT pg_terminate_backend({backend})")
    world.meets(key)


@POOLS
def test_a_restart_of_the_server(world: World, pool: str) -> None:
    world.begin(pool)
    key = world.send(SLEEP)
    world.running(SLEEP)
    world.postgres.kill()
    while_away = [world.send() for _ in range(6)]
    time.sleep(2)
    world.postgres.start()
    for each in (key, *while_away):
        world.meets(each, retries=None)
    # Idle ones died too; what comes after a second one sees nothing of it.
    world.postgres.kill()
    world.postgres.start()
    world.meets(world.send(), retries=0)


def test_more_threads_than_connections_wait_their_turn(world: World) -> None:
    world.begin()
    keys = [world.send("SELECT pg_sleep(0.05)") for _ in range(60)]
    for key in keys:
        world.meets(key, retries=0)


def test_who_waits_too_long_for_a_connection_tries_again(world: World) -> None:
    world.begin(slots=5)
    long = [world.send("SELECT pg_sleep(17)") for _ in range(POOL)]
    wait_for("a full pool", lambda: len(world.backends("query LIKE 'SELECT pg_sleep%'")) == POOL)
    late = world.send()
    world.meets(late)
    for key in long:
        world.meets(key, retries=0)
    world.worker.wait_for_log("no database connection within 15 s: 4 of 4 are open")


@POOLS
def test_too_many_connections(world: World, pool: str) -> None:
    world.begin(pool)
    taken: list[psycopg.Connection[Any]] = []

    def take_all() -> bool:
        try:
            while True:
                url = world.postgres.url()
                taken.append(psycopg.connect(url, application_name="test", autocommit=True))
        except psycopg.OperationalError as error:
            return "too many clients" in str(error)

    assert take_all()
    taken[0].execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND application_name <> 'test'"
    )
    wait_for("all of them", lambda: take_all() and len(taken) == MOST)
    key = world.send()
    wait_for("an attempt", lambda: "too many clients" in world.worker.log)
    for connection in taken[1:]:
        connection.close()
    marked = f"SELECT count(*) = 2 FROM effects WHERE key = '{key}'"
    wait_for("both marks", lambda: taken[0].execute(marked.encode()).fetchall() == [(True,)], 60)
    taken[0].close()
    world.meets(key, retries=None)


def test_a_lock_that_somebody_keeps(world: World, other: psycopg.Connection[Any]) -> None:
    world.begin()
    other.execute("UPDATE rows SET n = n + 1 WHERE id = 1")
    key = world.send("UPDATE rows SET n = n + 1 WHERE id = 1")
    world.meets(key)
    world.worker.wait_for_log("canceling statement due to lock timeout")


def test_a_query_that_does_not_end(world: World) -> None:
    world.begin()
    key = world.send("SET LOCAL statement_timeout = 200", SLEEP)
    world.meets(key)
    world.worker.wait_for_log("canceling statement due to statement timeout")


def test_a_serialization_failure(world: World, other: psycopg.Connection[Any]) -> None:
    world.begin()
    wait = "SELECT pg_advisory_xact_lock(7)"
    other.execute(wait.encode())
    update = "UPDATE rows SET n = n + 1 WHERE id = 2"
    key = world.send(wait, update, first="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    world.running(wait)
    other.execute(update.encode())
    other.commit()
    world.meets(key)
    world.worker.wait_for_log("could not serialize access")


def test_a_deadlock(world: World, other: psycopg.Connection[Any]) -> None:
    world.begin()
    one, two = (f"UPDATE rows SET n = n + 1 WHERE id = {number}" for number in (1, 2))
    other.execute("SET deadlock_timeout = '60s'")  # the task is the one that finds out
    other.execute(two.encode())
    key = world.send(one, "SET LOCAL lock_timeout = '30s'", "SELECT pg_sleep(0.5)", two)
    world.running("SELECT pg_sleep(0.5)")
    other.execute(one.encode())
    other.commit()
    world.meets(key)
    world.worker.wait_for_log("deadlock detected")


@POOLS
def test_a_hundred_tasks_connect_four_times(world: World, pool: str) -> None:
    world.begin(pool)

    def connects() -> int:
        """Of the worker: everybody else here says who it is, or is one of `sql`."""
        log = (world.postgres.folder / "server.log").read_text()
        return log.count("connection authorized") - log.count("application_name=test")

    before = connects()
    keys = {world.send() for _ in range(100)}
    count = "SELECT count(*) FROM effects WHERE part = 2"
    with psycopg.connect(world.postgres.url(), application_name="test", autocommit=True) as here:
        sql = f"{count} AND key IN ({', '.join(repr(key) for key in keys)})"
        wait_for("all", lambda: here.execute(sql.encode()).fetchall() == [(100,)])
    assert 0 < connects() - before <= 2 * POOL  # and the relay's, which finds no table here


@POOLS
def test_limits_of_a_query_are_its_queues(world: World, pool: str) -> None:
    world.begin(pool, "urgent_fast,average_fast")

    def told() -> list[tuple[int, int]]:
        key = str(uuid4())
        faulty.limits.delay(key)
        wait_for("the limits", lambda: len(world.marks(key)) == 3)
        return world.marks(key)

    wanted = [(0, 90_000), (1, 10_000), (2, 130_000)]
    assert told() == wanted
    world.meets(world.send(), retries=0)
    assert told() == wanted  # on a connection that had the other queue's


def test_the_child_of_an_isolated_run_has_the_limits_too(world: World) -> None:
    world.begin("prefork")
    key = str(uuid4())
    faulty.suspect.delay(key)
    wait_for("the limits", lambda: len(world.marks(key)) == 3)
    assert world.marks(key) == [(0, 27_000), (1, 2_000), (2, 60_000)]


def test_idle_connections_are_closed(world: World) -> None:
    world.begin()
    for key in [world.send("SELECT pg_sleep(0.3)") for _ in range(8)]:
        world.meets(key, retries=0)
    assert len(world.backends()) > 1
    wait_for("them to be closed", lambda: not world.backends(), 100)
