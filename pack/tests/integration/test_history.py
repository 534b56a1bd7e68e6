"""A minute of history: right, written once by however many try, and bounded."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from dutiful.drills.host.celery import app
from dutiful.monitoring.fleet import store
from dutiful.monitoring.fleet.tally import Tally
from dutiful.monitoring.history import purge
from dutiful.monitoring.history.writer import Writer
from dutiful.monitoring.models import Baseline, BrokerSample, QueueSample, TaskHour
from tests.support.transport import NewPeer, raw_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
pytest_plugins = ["tests.support.transport_fixtures"]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def tell(client: Any, *runs: tuple[Any, ...]) -> None:
    """As a worker does."""
    tally = Tally()
    tally.extend(runs)
    store.add(client, "", tally.take())


def minute(number: int, writer: Writer | None = None) -> bool:
    """The minute of noon that ends after so many."""
    return (writer or Writer(app)).write((NOON + timedelta(minutes=number)).timestamp() + 0.2)


def test_a_minute_has_what_happened_in_it(redis_client: Any, new_peer: NewPeer) -> None:
    run = ("mail", "urgent_fast", "succeeded", 1.0, 0.5, 0.1, 4, 0.02)
    tell(redis_client, run)
    assert minute(1)
    assert TaskHour.objects.count() == 0  # nobody knows when that was
    peer = new_peer("urgent_fast")
    for number in range(8):
        redis_client.lpush("urgent_fast", raw_message(number, "urgent_fast"))
    peer.claim(5)
    tell(redis_client, run, ("mail", "urgent_fast", "failed", 30.0, 2.0, 0.1, 1, 0.3))
    tell(redis_client, ("mail", "urgent_fast", "crashed", None, None, None, None, None))
    assert minute(2, Writer(app))  # another process
    row = QueueSample.objects.get(queue="urgent_fast", at=NOON + timedelta(minutes=1))
    assert (row.depth, row.arrived, row.started) == (3, 8, 5)
    assert (row.runs, row.late, row.failed, row.crashed) == (3, 1, 1, 1)
    hour = TaskHour.objects.get()
    assert (hour.at, hour.task, hour.queue) == (NOON, "mail", "urgent_fast")
    assert (hour.succeeded, hour.failed, hour.crashed, hour.runs) == (1, 1, 1, 3)
    assert hour.wait_seconds == pytest.approx(31)
    assert hour.cpu_seconds == pytest.approx(0.2)
    assert hour.queries == 5
    assert hour.database_seconds == pytest.approx(0.32)
    assert sum(hour.run_buckets.values()) == 2
    assert BrokerSample.objects.filter(span=60).count() == 2
    tell(redis_client, run)
    assert minute(3)
    assert TaskHour.objects.get().succeeded == 2


def test_one_of_several_writes(redis_client: Any) -> None:
    assert minute(1)
    tell(redis_client, ("mail", "urgent_fast", "succeeded", 1.0, 0.5, 0.1, 4, 0.02))

    def write(_: int) -> bool:
        try:
            return minute(2)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(write, range(4))) == [False, False, False, True]
    assert QueueSample.objects.aggregate(runs=Sum("runs"))["runs"] == 1
    assert not minute(1)  # a clock that is behind writes nothing again


def test_counters_that_start_anew_are_no_loss(redis_client: Any) -> None:
    run = ("mail", "urgent_fast", "succeeded", 1.0, 0.5, 0.1, 4, 0.02)
    tell(redis_client, *[run] * 10)
    minute(1)
    redis_client.flushall()
    tell(redis_client, *[run] * 3)
    minute(2)
    assert TaskHour.objects.get().succeeded == 3


def test_the_broker_away_is_a_gap_and_nothing_is_counted_twice(redis_client: Any) -> None:
    run = ("mail", "urgent_fast", "succeeded", 1.0, 0.5, 0.1, 4, 0.02)
    minute(1)
    tell(redis_client, run)
    away = Writer(app)
    away._taker._broker._url = "redis://127.0.0.1:1/0"
    assert minute(2, away)
    assert not BrokerSample.objects.get(at=NOON + timedelta(minutes=1)).reachable
    assert QueueSample.objects.filter(at=NOON + timedelta(minutes=1)).count() == 0
    minute(3)
    assert TaskHour.objects.get().succeeded == 1


def test_minutes_become_hours_and_hours_go() -> None:
    for number in range(120):
        at = NOON + timedelta(minutes=number)
        QueueSample.objects.create(at=at, queue="urgent_fast", depth=number, runs=2, late=1)
        BrokerSample.objects.create(at=at, memory=number)
    old = NOON - timedelta(days=100)
    TaskHour.objects.create(at=old, task="mail", queue="urgent_fast")
    purge.roll_up(NOON + timedelta(hours=1))
    purge.roll_up(NOON + timedelta(hours=1))
    hour = QueueSample.objects.get(span=3600)
    assert (hour.at, hour.depth, hour.runs, hour.late) == (NOON, 59, 120, 60)
    assert QueueSample.objects.filter(span=60).count() == 60
    assert BrokerSample.objects.get(span=3600).memory == 59
    purge.run(NOON + timedelta(hours=2))
    assert TaskHour.objects.count() == 0
    Baseline.objects.all().delete()
