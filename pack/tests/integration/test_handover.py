"""A time limit while a thread takes or returns a connection does not lose the connection."""

import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import connections

from dutiful.database import connections as db
from dutiful.database.postgres import handover
from dutiful.worker.threads import job as threads_job
from dutiful.worker.threads.current import guard, undisturbed
from dutiful.worker.threads.job import Job
from tests.support.postgres import own_postgres

SLOTS, LIMITS = 4, 150


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[Any]:
    """A pool of two connections for four threads, in a worker on threads; its alias is `shared`."""
    entry = connections.settings["default"] | {
        "ENGINE": "dutiful.database.postgres",
        "CONN_MAX_AGE": 0,
    }
    with own_postgres() as server, django_db_blocker.unblock():
        entry |= {"HOST": "127.0.0.1", "PORT": server.port, "NAME": "postgres"}
        entry |= {"USER": "postgres", "PASSWORD": "", "OPTIONS": {}}
        db._pool(entry, 2)
        monkeypatch.setitem(connections.settings, "shared", entry)
        monkeypatch.setattr(handover, "undisturbed", undisturbed)
        shared: Any = connections["shared"]
        yield shared.pool
        shared.close_pool()
        del connections["shared"]


@guard
def asks() -> None:
    """Takes a connection and returns it, in a loop."""
    while True:
        with connections["shared"].cursor() as cursor:
            cursor.execute("SELECT 1")
        connections["shared"].close()


def cut_short(ends: list[float]) -> None:
    """Starts one run after another, and interrupts each after so many seconds."""
    for seconds in ends:
        job = Job(asks, (), {}, None, None, None, None, None, None, "id")
        thread = threading.Thread(target=job.run, args=(0,))
        thread.start()
        time.sleep(seconds)
        assert job.give_up()
        thread.join(30)
        assert not thread.is_alive()


def test_a_limit_on_the_way_in_leaves_the_connection_where_it_was(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = connections["shared"]
    seen: list[bool] = []

    def limited() -> None:
        monkeypatch.undo()
        raise SoftTimeLimitExceeded

    @guard
    def body() -> None:
        shared.ensure_connection()
        monkeypatch.setattr(threads_job, "deliver_pending", limited)
        with pytest.raises(SoftTimeLimitExceeded):
            shared.close()
        seen.append(shared.connection is not None)
        shared.close()

    Job(body, (), {}, None, None, None, None, None, None, "id").run(0)
    assert seen == [True]
    assert len({id(pool.getconn(timeout=10)) for _ in range(2)}) == 2


@pytest.mark.timeout(120)
def test_no_connection_is_lost_to_a_limit(pool: Any) -> None:
    chance = random.Random(7)
    rounds = [[chance.uniform(0.005, 0.03) for _ in range(LIMITS)] for _ in range(SLOTS)]
    slots = [threading.Thread(target=cut_short, args=(each,)) for each in rounds]
    for slot in slots:
        slot.start()
    for slot in slots:
        slot.join()
    free = [pool.getconn(timeout=10) for _ in range(2)]
    for connection in free:
        pool.putconn(connection)
