"""Each run is counted once, with its outcome and times, whatever the pool and however it ended."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.monitoring.fleet import Counts, read
from dutiful.monitoring.fleet.buckets import quantile
from dutiful.monitoring.snapshot import Taker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from tests.support import jobs

pytestmark = pytest.mark.django_db(transaction=True)
SAID = ("jobs.say", "urgent_fast")


@pytest.fixture
def counters(broker: EmbeddedBroker) -> Any:
    with redis.Redis.from_url(broker.url) as client:
        client.flushall()
        yield client


def counted(client: Any, task: str, queue: str, runs: int) -> Counts:
    def enough() -> Counts | None:
        found = read(client, "").tasks.get((task, queue))
        return found if found and found.runs >= runs else None

    found = wait_for(f"{runs} runs of {task}", enough)
    assert found is not None
    assert found.runs == runs
    return found


def test_threads(start_worker: StartWorker, counters: Any) -> None:
    start_worker("-Q", "urgent_fast", "-I", "tests.support.jobs")
    for _ in range(50):
        jobs.say.delay("hello")
    jobs.fail_always.delay()
    found = counted(counters, *SAID, 50)
    assert found.outcomes["succeeded"] == 50
    assert sum(found.wait) == sum(found.run) == 50
    assert 0 < found.seconds["cpu"] < found.seconds["run"] + 0.05
    assert (quantile(found.run, 0.5) or 9) < 1
    failed = counted(counters, "jobs.fail_always", "urgent_fast", 3)
    assert (failed.outcomes["retried"], failed.outcomes["failed"]) == (2, 1)


def test_prefork_children_tell_through_their_parent(
    start_worker: StartWorker, counters: Any
) -> None:
    start_worker("-Q", "average_slow_compute", "-c", "2", "-I", "tests.support.jobs")
    for number in range(200):
        jobs.say.apply_async((str(number),), queue="average_slow_compute")
    jobs.die.delay()
    found = counted(counters, "jobs.say", "average_slow_compute", 200)
    assert sum(found.run) == 200
    assert found.seconds["cpu"] > 0
    died = wait_for(
        "the crash", lambda: read(counters, "").tasks.get(("jobs.die", "average_slow_compute"))
    )
    assert died is not None
    assert died.outcomes["crashed"] >= 1


def test_a_worker_that_stops_tells_what_is_left(start_worker: StartWorker, counters: Any) -> None:
    worker = start_worker("-Q", "urgent_fast", "-I", "tests.support.jobs")
    for _ in range(20):
        jobs.say.delay("hello")
    wait_for("all run", lambda: worker.log.count("jobs.say") >= 20)
    worker.stop()
    assert read(counters, "").tasks[SAID].runs == 20


def test_the_broker_away_loses_no_count(start_worker: StartWorker, server: EmbeddedBroker) -> None:
    """Its data are kept (AOF); what ran meanwhile is told afterwards."""
    worker = start_worker(
        "-Q", "urgent_fast", "-I", "tests.support.jobs", environment={"BROKER_URL": server.url}
    )
    with app.connection_for_write(server.url) as connection:
        for _ in range(5):
            app.send_task("jobs.say", ("hello",), queue="urgent_fast", connection=connection)
    wait_for("five runs", lambda: worker.log.count("jobs.say") >= 5)
    server.kill()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        counted(client, *SAID, 5)
    worker.stop()  # before its broker ends


def test_publishes_are_measured_where_they_happen(
    start: Callable[..., Running], broker: EmbeddedBroker, counters: Any, django_db_setup: None
) -> None:
    sending = (
        "import sys, time; sys.argv = ['celery', 'beat'];"
        "import django; django.setup(); from tests.support import jobs;"
        "[jobs.say.delay('hello') for _ in range(10)]; time.sleep(60)"
    )
    start(
        [sys.executable, "-c", sending], {"DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings"}
    )
    found = wait_for("ten publishes", lambda: read(counters, "").publishes.get("beat"))
    assert found is not None
    assert found.outcomes["succeeded"] == 10
    assert 0 < (quantile(found.run, 0.5) or 0) < 1
    latency = Taker(app).take().server.publish["beat"]
    assert (latency.count, latency.errors) == (10, 0)
    assert 0 < latency.median <= latency.p99 < 1
