"""What stays behind is sent: by relays and every worker, in order, whatever one message is like."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.utils import timezone

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.outbox import daemon, state
from dutiful.outbox.models import OutboxMessage
from dutiful.publishing.batch import enqueue_many
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import celery, wait_for
from tests.support.batches import noted
from tests.support.outbox import QUEUE, empty, leave, numbers, relay_all, row, stopped

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
TRIES = 8
State = OutboxMessage.State


@pytest.fixture(autouse=True)
def _empty(broker: EmbeddedBroker) -> Iterator[None]:
    empty(broker)
    yield
    empty(broker)


def test_in_order_and_each_once_with_many_relays(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dutiful.outbox.options.BATCH", 20)
    leave(*range(200))
    assert relay_all() == 200
    assert numbers(broker) == list(range(200))
    leave(*range(200))
    failed: list[BaseException] = []

    def relay() -> None:
        try:
            relay_all()
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=relay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    relay_all()  # SQLite: a relay that found others at it goes away
    assert not failed
    assert sorted(numbers(broker)[200:]) == list(range(200))


def test_a_poisoned_message_holds_up_nobody(broker: EmbeddedBroker) -> None:
    leave(0, 1, 2, 3)
    OutboxMessage.objects.filter(pk=row(1).pk).update(text="no JSON")
    with redis.Redis.from_url(broker.url) as client:
        client.set("urgent_fast", "not a list")
    OutboxMessage.objects.filter(pk=row(2).pk).update(queue="urgent_fast")
    relay_all()
    assert numbers(broker) == [0, 3]
    assert [one.attempts for one in OutboxMessage.objects.all()] == [1, 1]
    assert "WRONGTYPE" in row(1).error
    assert row(0).due_at > timezone.now()
    OutboxMessage.objects.update(due_at=timezone.now(), attempts=TRIES - 1)
    relay_all()
    assert state.counts() == (0, 0.0, 2, 0)


def test_many_that_are_refused_are_kept_too(broker: EmbeddedBroker) -> None:
    with redis.Redis.from_url(broker.url) as client:
        client.set(QUEUE, "not a list")
        assert len(enqueue_many(noted, [("a", 0), ("a", 1)]).ids) == 2
        assert "WRONGTYPE" in row(1).error
        client.delete(QUEUE)
    assert relay_all() == 2
    assert numbers(broker) == [0, 1]


def test_a_broker_that_is_away_is_no_ones_fault(broker: EmbeddedBroker) -> None:
    leave(0, 1)
    with stopped(broker):
        with pytest.raises(CommandError, match="the broker does not answer"):
            call_command("outbox", "relay")
        assert "refused" in row(0).error.lower()
        assert (row(0).attempts, row(0).state) == (1, State.WAITING)
    assert relay_all() == 2  # at once, however often it was tried


def test_a_worker_relays(start_worker: StartWorker, broker: EmbeddedBroker) -> None:
    key = str(uuid4())
    leave(1, 2, 3, key=key)
    start_worker("--profile", "io", "-c", "4", "-I", "tests.support.batches")
    with redis.Redis.from_url(broker.url) as client:
        wait_for("their runs", lambda: client.llen(f"test:{key}") == 3, 20)
        leave(4, key=key)
        wait_for("one that comes later", lambda: client.llen(f"test:{key}") == 4)
    wait_for("an empty outbox", lambda: not OutboxMessage.objects.exists())


def test_beat_relays(start: Any, broker: EmbeddedBroker) -> None:
    leave(1)
    start(celery("beat"))
    wait_for("it on the broker", lambda: numbers(broker) == [1], 30)


def test_a_result_of_a_transaction_can_be_had(start_worker: StartWorker) -> None:
    from tests.support.jobs import say

    start_worker("--profile", "io", "-c", "4", "-I", "tests.support.jobs")
    with transaction.atomic():
        result = say.apply_async(("word",), ignore_result=False)
    assert result.get(timeout=20) == "word"


KILLED = """
import os, sys, django
django.setup()
from django.db import transaction
from dutiful.outbox import publisher
from tests.support.batches import noted
publisher.Pending.send = lambda *_: os.kill(os.getpid(), 9)
with transaction.atomic():
    noted.delay("a", 1)
"""


def test_killed_between_commit_and_publish_it_is_sent_all_the_same(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=env.ROOT, env=dict(os.environ), timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    assert numbers(broker) == []
    assert relay_all() == 0  # still its caller's
    OutboxMessage.objects.update(due_at=timezone.now())
    assert relay_all() == 1
    assert numbers(broker) == [1]


def test_an_idle_relay_costs_a_query_a_second(django_assert_max_num_queries: Any) -> None:
    relay = daemon.Daemon(app)
    relay._purged = time.monotonic()
    with django_assert_max_num_queries(1):
        assert relay._turn() >= 1
    relay._relay.sender.pool.close()
