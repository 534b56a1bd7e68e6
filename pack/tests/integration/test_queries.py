"""Statements and database seconds of each run: in the log, the fleet's counters, the history."""

import io
import json
import time
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.db import connection, transaction

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.monitoring import queries
from dutiful.monitoring.fleet import Counts, Fleet, read
from dutiful.monitoring.fleet.store import OUTCOMES
from dutiful.monitoring.history import deltas
from dutiful.monitoring.history.writer import Writer
from dutiful.monitoring.models import TaskHour
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import PRODUCTION, wait_for
from tests.support import asking

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
QUEUE = "average_slow"
BEGINS = 1 if connection.vendor == "sqlite" else 0
"""SQLite's BEGIN is a statement of Django's, PostgreSQL's one of the driver's."""


@pytest.fixture
def counters(broker: EmbeddedBroker) -> Any:
    with redis.Redis.from_url(broker.url) as client:
        client.flushall()
        yield client


def test_a_thread_sees_its_own_statements_and_waits_for_commits() -> None:
    before = queries.spent()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 2")
    asked, seconds = queries.since(before)
    assert asked == 2 + BEGINS
    connection.close()
    waits = _slow(connection)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert queries.since(before)[0] == asked + 1 + BEGINS  # once, though it connected again
    assert queries.since(before)[1] >= seconds + waits


def _slow(connection: Any) -> float:
    """Its next commit takes so many seconds."""
    connection.ensure_connection()
    real, connection.connection = connection.connection, _SlowCommit(connection.connection)
    assert real is not None
    return _SlowCommit.SECONDS


class _SlowCommit:
    SECONDS = 0.05

    def __init__(self, real: Any) -> None:
        self.__dict__["real"] = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.real, name, value)

    def commit(self) -> None:
        time.sleep(self.SECONDS)
        self.real.commit()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_each_run_is_counted(pool: str, start_worker: StartWorker, counters: Any) -> None:
    writer = Writer(app)
    writer.write(time.time() - 60)
    worker = start_worker(
        "-Q", QUEUE, "-P", pool, "-c", "2", "-I", "tests.support.asking", environment=PRODUCTION
    )
    for _ in range(10):
        asking.ask.delay(8)
    asking.rest.delay()
    asking.fail.delay()

    def told(name: str, runs: int) -> Counts:
        def enough() -> Counts | None:
            found = read(counters, "").tasks.get((name, QUEUE))
            return found if found and found.runs >= runs else None

        found = wait_for(f"{runs} runs of {name}", enough)
        assert found is not None
        return found

    found = told("asking.ask", 10)
    assert found.queries == 10 * (8 + BEGINS)
    assert 0 < found.database < found.seconds["run"]
    assert told("asking.fail", 1).queries == 1
    assert (told("asking.rest", 1).queries, told("asking.rest", 1).database) == (0, 0)
    lines = [json.loads(line) for line in worker.log.splitlines() if '"task_run"' in line]
    mine = [line for line in lines if line["task"] == "asking.ask"]
    assert {line["queries"] for line in mine} == {8 + BEGINS}
    assert all(line["database_seconds"] > 0 for line in mine)
    assert writer.write(time.time())
    hour = TaskHour.objects.get(task="asking.ask")
    assert hour.queries == found.queries
    assert hour.database_seconds == pytest.approx(found.database)
    out = io.StringIO()
    call_command("cost", stdout=out)
    line = next(line for line in out.getvalue().splitlines() if line.startswith("asking.ask"))
    assert f" {8 + BEGINS} " in line


def test_a_release_that_counts_more_counts_nothing_twice() -> None:
    """A release before did not count the database; one after this counts something more."""
    counts = Counts(outcomes=dict.fromkeys(OUTCOMES, 5), queries=3, database=0.5)
    now = deltas.flat(Fleet({("mail", "urgent_fast"): counts}, {}))
    ((name, numbers),) = now.items()
    before = {each: number for each, number in numbers.items() if "database" not in each}
    assert len(before) == len(numbers) - 2
    (grown,) = deltas.since(now, {name: before}).values()
    assert (grown.runs, grown.queries, grown.database) == (0, 3, 0.5)
    assert deltas.since(now, {name: {**numbers, "colour|red": 9}}) == {}
    first = next(each for each in numbers if each.startswith("outcome|"))
    (anew,) = deltas.since(now, {name: {**numbers, first: 9}}).values()
    assert anew.runs == 25  # the broker's data is new
