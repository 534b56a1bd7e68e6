"""One effect for each key in real workers: duplicates, retries, kills, chains, groups, chords."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import chain, chord, group
from django.db import transaction

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.idempotency import keys, store
from dutiful.idempotency.models import Key, UniqueCall
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from tests.support import once
from tests.support.letters import Letters
from tests.support.once import effects

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
POOLS = {"threads": "8", "prefork": "4"}


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def worker(start_worker: StartWorker, request: pytest.FixtureRequest) -> Running:
    pool = getattr(request, "param", "threads")
    queue = "average_slow_compute" if pool == "dying" else "average_slow"
    words = ("-P", "prefork" if pool == "dying" else pool, "-c", POOLS.get(pool, "2"))
    return start_worker("-Q", queue, *words, "-I", "tests.support.once")


def notes(client: Any, key: str) -> list[str]:
    return list(client.lrange(f"test:{key}", 0, -1))


def idle(client: Any) -> bool:
    return not client.exists("dutiful:messages") and not any(
        client.llen(key) for key in ("average_slow", "average_slow_compute")
    )


@pytest.mark.parametrize("worker", ["threads", "prefork"], indirect=True)
def test_a_hundred_deliveries_at_once_have_one_effect(worker: Running, client: Any) -> None:
    key = str(uuid4())
    first = once.add.apply_async((key, 0.5), idempotency_key="once", ignore_result=False)
    for _ in range(99):
        once.add.apply_async((key, 0.5), idempotency_key="once")
    wait_for("all of them", lambda: idle(client))
    assert effects(key) == 1
    assert first.get(timeout=5) == key
    assert len(notes(client, key)) == 1, "the others' bodies did not run"
    assert Key.objects.get().key == "once.add/once"


@pytest.mark.parametrize("worker", ["threads", "prefork"], indirect=True)
def test_retries_keep_their_key_and_a_wait_costs_no_try(worker: Running, client: Any) -> None:
    key = str(uuid4())
    results = [
        once.fails.apply_async((key, 2), idempotency_key="k", ignore_result=False) for _ in range(3)
    ]
    wait_for("success", lambda: [r.status for r in results] == ["SUCCESS"] * 3)
    assert effects(key) == 1
    assert set(notes(client, key)) == {"once.fails/k"}


@pytest.mark.parametrize("worker", ["dying"], indirect=True)
def test_a_process_killed_in_its_effect(worker: Running, client: Any) -> None:
    key = str(uuid4())
    once.dies.delay(key)
    wait_for("the second run", lambda: effects(key) == 1)
    wait_for("the ack", lambda: idle(client))
    assert len(notes(client, key)) == 2


def test_a_worker_killed_before_its_effect(
    worker: Running, client: Any, start_worker: StartWorker
) -> None:
    key = str(uuid4())
    once.add.delay(key, 3)
    wait_for("its start", lambda: notes(client, key))
    worker.kill_group()
    start_worker("-Q", "average_slow", "-I", "tests.support.once")
    wait_for("the second run", lambda: effects(key) == 1)
    assert len(notes(client, key)) == 2


def test_the_same_arguments_in_another_order_are_one(worker: Running, client: Any) -> None:
    key = str(uuid4())
    once.add.delay(key, 0.1)
    once.add.delay(seconds=0.1, key=key)
    once.add.apply_async((key,), {"seconds": 0.1})
    wait_for("the first", lambda: effects(key))
    wait_for("all", lambda: idle(client))
    assert effects(key) == 1


@pytest.mark.parametrize("worker", ["threads", "prefork"], indirect=True)
def test_members_of_chains_groups_and_chords_are_each_their_own(
    worker: Running, client: Any
) -> None:
    """The same arguments three times in a chain are three pieces of work."""
    chained, grouped, last = str(uuid4()), str(uuid4()), str(uuid4())
    steps = [once.step.s(None, chained), once.step.si(None, chained), once.step.s(chained)]
    chain(*steps).apply_async()
    group(once.step.s(None, grouped) for _ in range(3)).apply_async()
    chord([once.step.s(None, grouped) for _ in range(2)])(once.step.s(last))
    wait_for("the chord's body", lambda: effects(last) == 1)
    wait_for("the rest", lambda: (effects(chained), effects(grouped)) == (3, 5))
    assert len(set(notes(client, chained))) == 3, "each its own key"


def test_a_parent_delivered_twice_publishes_its_chain_once_more_to_no_effect(
    worker: Running, client: Any
) -> None:
    first, second, third = (str(uuid4()) for _ in range(3))
    linked = chain(once.step.s(None, first), once.step.s(second), once.step.s(third))
    sent = linked.freeze()
    head = linked.tasks[0]
    rest = [dict(step) for step in reversed(linked.tasks[1:])]
    for _ in range(2):
        once.step.apply_async((None, first), task_id=head.id, chain=[*rest])
    wait_for("the end", lambda: effects(third))
    wait_for("all", lambda: idle(client))
    assert [effects(key) for key in (first, second, third)] == [1, 1, 1]
    assert sent.id == linked.tasks[-1].id


def test_until_executing_a_duplicate_is_dropped_while_one_waits(
    client: Any, start_worker: StartWorker
) -> None:
    key = str(uuid4())
    first, second = (once.until_executing.delay(key, 1.5) for _ in range(2))
    assert first.id == second.id
    assert client.llen("average_slow") == 1
    rolled_back = str(uuid4())
    with transaction.atomic():
        once.until_executing.delay(rolled_back)
        transaction.set_rollback(True)
    once.until_executing.delay(rolled_back)
    assert UniqueCall.objects.get(key__startswith="once", task_id=first.id).dropped == 1
    start_worker("-Q", "average_slow", "-I", "tests.support.once")
    wait_for("its start", lambda: notes(client, key))
    wait_for("the other", lambda: notes(client, rolled_back))
    assert once.until_executing.delay(key, 0).id != first.id, "it has started: the next is sent"
    wait_for("both", lambda: len(notes(client, key)) == 2)
    wait_for("all", lambda: idle(client))
    assert not UniqueCall.objects.exists()


def test_without_the_outbox_it_is_sent_once_its_mark_is_committed(client: Any) -> None:
    """If it were sent before the commit, it could run first, and its mark would remain."""
    for rolls_back, sent in ((True, 0), (False, 1)):
        with transaction.atomic():
            once.until_executing.apply_async((str(uuid4()),), outbox=False)
            assert client.llen("average_slow") == 0
            transaction.set_rollback(rolls_back)
        assert client.llen("average_slow") == UniqueCall.objects.count() == sent


def test_a_mark_expires(client: Any, settings: Any) -> None:
    key = str(uuid4())
    first = once.until_executing.apply_async((key,), expires=0.2)
    time.sleep(0.3)
    assert once.until_executing.delay(key).id != first.id


def test_until_executed_it_runs_once_more_for_those_that_came_meanwhile(
    worker: Running, client: Any
) -> None:
    key = str(uuid4())
    once.until_executed.delay(key, 1)
    wait_for("its start", lambda: notes(client, key))
    for _ in range(10):
        once.until_executed.delay(key, 1)
    assert client.llen("average_slow") == 0
    wait_for("the second", lambda: len(notes(client, f"{key}:end")) == 2)
    wait_for("all", lambda: idle(client) and not UniqueCall.objects.exists())
    assert len(notes(client, key)) == 2


@pytest.mark.parametrize("worker", ["prefork"], indirect=True)
def test_until_executed_survives_a_kill(worker: Running, client: Any) -> None:
    key = str(uuid4())
    once.until_executed.delay(key, 0.5, True)
    wait_for("its start", lambda: notes(client, key))
    once.until_executed.delay(key, 0.5, True)
    wait_for("its end", lambda: notes(client, f"{key}:end"))
    wait_for("all", lambda: idle(client) and not UniqueCall.objects.exists())
    assert len(notes(client, key)) == 2, "the run after the kill does what was asked for before it"


def test_a_conflict_is_a_dead_letter_and_no_key_for_a_plain_task(
    worker: Running, client: Any
) -> None:
    letters = Letters(client)
    once.quiet.apply_async(("a",), idempotency_key="order-7")
    wait_for("the first", lambda: effects("a") == 1)
    wrong = once.quiet.apply_async(("b",), idempotency_key="order-7")
    worker.wait_for_log("was used by task")
    with pytest.raises(TypeError, match="base=IdempotentTask"):
        once.plain.apply_async(("a",), idempotency_key="order-7")
    letter = wait_for("the letter", lambda: letters.about(wrong.id))
    assert letter is not None
    assert letter["reason"] == "idempotency conflict"
    assert effects("b") == 0


def test_waiting_for_another_message_costs_no_try(worker: Running, client: Any) -> None:
    key = str(uuid4())
    fingerprint = keys.fingerprint(once.tries.run, (key,), {})
    whole = keys.key("once.tries", {}, fingerprint)
    assert store.take(store.Run("default", whole, "once.tries", "vanished", fingerprint, 4, 60))
    once.tries.delay(key)
    worker.wait_for_log("waits ")
    assert notes(client, key) == []
    wait_for("the lease's end", lambda: notes(client, key))
    assert notes(client, key) == ["0"]
    assert worker.log.count("another message holds its key") >= 2, "it looked more than once"
