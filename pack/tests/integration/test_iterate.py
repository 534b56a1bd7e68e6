"""A loop saves its place, and another worker resumes it after a drain, crash, retry or freeze."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.utils import timezone

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.task.iterate import progress
from dutiful.task.models import Cursor, DispatchToken
from dutiful.testing.processes import Running, celery, wait_for
from dutiful.testing.publishing import publishing_to
from tests.support.freezing import freeze_between_transactions
from tests.support.iterating import NUMBERS, ROWS, exact, fails, keyed, rows, slices

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
Worker = Callable[..., Running]


@pytest.fixture
def client(server: EmbeddedBroker) -> Iterator[Any]:
    with (
        publishing_to(server.url),
        redis.Redis.from_url(server.url, decode_responses=True) as found,
    ):
        yield found


@pytest.fixture
def worker(server: EmbeddedBroker, start: Callable[..., Running]) -> Worker:
    def run(*words: str, **environment: str) -> Running:
        running = start(
            celery("worker", "-Q", "average_slow", "-I", "tests.support.iterating", *words),
            {"BROKER_URL": server.url, "LEASE_SECONDS": "3", "GRACE_SECONDS": "10"} | environment,
        )
        running.wait_for_log(" ready.")
        return running

    return run


def some_rows() -> str:
    """Makes rows and returns their key. Pairs of rows share a time; the order is descending."""
    key, now = uuid4().hex, timezone.now()
    DispatchToken.objects.bulk_create(
        DispatchToken(
            key=f"{key}:{n:03}", holder=key, taken_at=now + timedelta(microseconds=n // 2)
        )
        for n in range(ROWS)
    )
    return key


def seen(client: Any, key: str) -> list[str]:
    found: list[str] = client.lrange(f"test:{key}", 0, -1)
    return found


def some_seen(client: Any, key: str, count: int = 10) -> list[str]:
    return wait_for(f"{count} rows", lambda: seen(client, key)[count - 1 :] and seen(client, key))


def nothing_left(client: Any) -> bool:
    return (
        not Cursor.objects.exists()
        and client.llen("average_slow") == client.hlen("dutiful:messages") == 0
    )


POOLS = {
    "threads": ("--profile", "io"),
    "prefork": ("--profile", "compute"),
    "solo": ("-P", "solo"),
}


@pytest.mark.parametrize("pool", POOLS)
def test_at_a_drain_it_stops_and_another_worker_goes_on(
    worker: Worker, client: Any, pool: str
) -> None:
    key = some_rows()
    first = worker(*POOLS[pool])
    sent = rows.delay(key, 0.1, 3600.0)
    some_seen(client, key)
    os.killpg(first.pid, signal.SIGTERM)  # to all of it, as a platform does
    assert first.wait(9) == 0, first.log
    before = seen(client, key)
    place = progress(sent.id)
    assert place is not None
    assert (place.done, place.total) == (len(before), ROWS)
    assert client.llen("average_slow") == 1
    assert not [*client.scan_iter("dutiful:crashes:*")], "a drain is no crash"
    worker(*POOLS[pool])
    wait_for("the end", lambda: nothing_left(client))
    assert seen(client, key) == [
        *DispatchToken.objects.filter(holder=key)
        .order_by("-taken_at", "pk")
        .values_list("key", flat=True)
    ], "each once, in order"
    assert len(seen(client, f"{key}:runs")) == 2


def test_after_kill_9_it_goes_on_from_the_last_save(worker: Worker, client: Any) -> None:
    key = some_rows()
    first = worker(*POOLS["prefork"])
    sent = rows.delay(key, 0.05, 0.2)
    some_seen(client, key, 20)
    first.kill_group()
    before, place = seen(client, key), progress(sent.id)
    assert place is not None
    assert place.done >= 10
    worker(*POOLS["prefork"])
    wait_for("the end", lambda: nothing_left(client))
    found = seen(client, key)
    assert len(set(found)) == ROWS
    assert ROWS <= len(found) <= ROWS + 8
    assert found[len(before)] not in before[:10], "it did not begin again"


def test_a_save_in_the_effects_transaction_makes_each_row_once(worker: Worker, client: Any) -> None:
    key = uuid4().hex
    exact.delay(key, 0.01)
    for kill in range(3):
        running = worker(*POOLS["prefork"])
        some_seen(client, key, 40 * (kill + 1))
        running.kill_group()
    assert len(set(seen(client, key))) == len(seen(client, key))
    worker(*POOLS["threads"])
    wait_for("the end", lambda: nothing_left(client))
    assert DispatchToken.objects.filter(holder=key).count() == NUMBERS  # their keys are unique
    assert not client.exists("dutiful:dead_letters")


def test_a_worker_that_was_frozen_does_not_turn_the_place_back(worker: Worker, client: Any) -> None:
    key = uuid4().hex
    frozen = worker(*POOLS["threads"])
    exact.delay(key, 0.02)
    some_seen(client, key)
    freeze_between_transactions(frozen.pid)
    worker(*POOLS["threads"])
    before = len(seen(client, key))
    some_seen(client, key, before + 20)
    os.killpg(frozen.pid, signal.SIGCONT)
    frozen.wait_for_log("runs in another worker")
    wait_for("the end", lambda: nothing_left(client))
    assert DispatchToken.objects.filter(holder=key).count() == NUMBERS
    assert len(seen(client, key)) <= NUMBERS + 1


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_loop_longer_than_its_limit_makes_way_and_goes_on(
    worker: Worker, client: Any, pool: str
) -> None:
    key = uuid4().hex
    worker(*POOLS[pool])
    slices.delay(key, 40)
    wait_for("the end", lambda: len(seen(client, key)) == 40 and nothing_left(client))
    assert seen(client, key) == [str(number) for number in range(40)]
    assert 3 <= len(seen(client, f"{key}:runs")) <= 5


def test_a_retry_goes_on_too(worker: Worker, client: Any) -> None:
    key = uuid4().hex
    worker(*POOLS["threads"])
    fails.delay(key)
    wait_for("the end", lambda: seen(client, key)[-1:] == ["9"] and nothing_left(client))
    assert seen(client, key) == list("01234556789")


def test_stock_transport_requeues_too(worker: Worker, client: Any) -> None:
    key = some_rows()
    first = worker(*POOLS["prefork"], BROKER_STOCK_TRANSPORT="1")
    rows.delay(key, 0.1, 3600.0)
    some_seen(client, key)
    first.signal(signal.SIGTERM)
    assert first.wait(9) == 0, first.log
    worker(*POOLS["threads"], BROKER_STOCK_TRANSPORT="1")
    wait_for("the end", lambda: nothing_left(client))
    found = seen(client, key)
    assert len(found) == len(set(found)) == ROWS


def test_a_loop_under_an_idempotency_key_goes_on_under_it(worker: Worker, client: Any) -> None:
    key = uuid4().hex
    first = worker(*POOLS["threads"])
    keyed.delay(key, 0.1)
    some_seen(client, key)
    first.signal(signal.SIGTERM)
    assert first.wait(9) == 0, first.log
    worker(*POOLS["threads"])
    wait_for("the end", lambda: nothing_left(client))
    keyed.delay(key, 0.1)  # done: its key says so
    wait_for("the second call's end", lambda: nothing_left(client))
    assert seen(client, key) == [str(number) for number in range(ROWS)]
    assert len(seen(client, f"{key}:runs")) == 2
    assert DispatchToken.objects.filter(key=key).count() == 1
