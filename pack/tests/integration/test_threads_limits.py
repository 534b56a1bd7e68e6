"""Time limits on threads, in real workers: what is raised, what is retried, what is fenced off."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from dutiful.worker import replace
from tests.support import limits
from tests.support.sentry import tracker

WORDS = ("-Q", "average_fast", "-I", "tests.support.limits")


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def worker(start_worker: StartWorker) -> Running:
    """One slot: what uses it again shows that it was freed."""
    return start_worker(*WORDS, "-c", "1")


def notes(client: Any, key: str) -> list[str]:
    return list(client.lrange(f"test:{key}", 0, -1))


def test_the_soft_limit_is_raised_in_the_task(worker: Running, client: Any) -> None:
    key = str(uuid4())
    limits.cleans_up.delay(key)
    wait_for("its tidying", lambda: notes(client, key) == ["tidied up"])
    wait_for("the log", lambda: "Soft time limit (1s) exceeded for limits.cleans_up" in worker.log)
    wait_for("the ack", lambda: client.hlen("dutiful:messages") == 0)


def test_a_soft_limit_in_a_transaction_leaves_a_sound_connection(
    worker: Running, client: Any
) -> None:
    key = str(uuid4())
    result = limits.in_transaction.apply_async((key,), ignore_result=False)
    wait_for("the retry", lambda: result.status == "SUCCESS")
    assert notes(client, key) == ["run", "run", "committed"]
    assert "closed" not in worker.log


def test_the_hard_limit_is_a_timeout_under_the_policy(worker: Running, client: Any) -> None:
    """The retry runs in the same slot while the first thread still sits in its call."""
    key = str(uuid4())
    result = limits.deaf.apply_async((key,), ignore_result=False)
    wait_for("the retry", lambda: result.status == "SUCCESS")
    assert result.result == "try 1"
    assert "came back late" not in worker.log
    worker.wait_for_log("attempt=1")
    worker.wait_for_log("TimeLimitExceeded")

    worker.wait_for_log("its result is dropped")
    assert app.AsyncResult(result.id).result == "try 1"  # not the late one
    assert notes(client, key) == ["try 0", "try 1"]  # and no third try
    assert client.hlen("dutiful:messages") == 0
    assert worker.log.count("state=success") == 1


def test_a_loop_that_swallows_exceptions_ends_at_the_hard_limit(
    worker: Running, client: Any
) -> None:
    key = str(uuid4())
    result = limits.spins.apply_async((key,), ignore_result=False)
    wait_for("the retry", lambda: result.status == "SUCCESS")
    assert notes(client, key) == ["run", "run"]
    worker.wait_for_log("came back late")


def test_a_task_that_exits_is_tried_again(worker: Running, client: Any) -> None:
    """Stock Celery keeps its message, and its slot's, until the worker ends."""
    key = str(uuid4())
    result = limits.leaves.apply_async((key,), ignore_result=False)
    wait_for("the retry", lambda: result.status == "SUCCESS")
    assert notes(client, key) == ["run", "run"]


def test_a_revoked_task_is_stopped_and_its_slot_freed(worker: Running, client: Any) -> None:
    """Stock Celery cannot terminate on threads (celery/celery#10490)."""
    key, after = str(uuid4()), str(uuid4())
    result = limits.spins.apply_async(
        (key,), ignore_result=False, soft_time_limit=50, time_limit=60
    )
    wait_for("its start", lambda: notes(client, key) == ["run"])
    result.revoke(terminate=True)
    limits.quick.delay(after)
    wait_for("the next one", lambda: notes(client, after) == ["run"])
    assert str(result.status) == "REVOKED"
    assert notes(client, key) == ["run"]
    wait_for("the acks", lambda: client.hlen("dutiful:messages") == 0)


def test_inspect_and_flower_see_the_pool(worker: Running) -> None:
    found: Any = wait_for("an answer", app.control.inspect(timeout=1).stats)
    (stats,) = found.values()
    assert stats["pool"]["implementation"] == "dutiful.worker.threads.pool:TaskPool"
    assert stats["pool"]["max-concurrency"] == 1
    assert stats["pool"]["stuck"] == 0


def test_its_log_is_written_in_batches(worker: Running) -> None:
    """Celery's Django fixup configures logging anew after the pool has started."""
    assert limits.batched.delay().get(timeout=60) == [True]


def test_too_many_stuck_slots_replace_the_worker(start_worker: StartWorker, client: Any) -> None:
    stuck, after = str(uuid4()), str(uuid4())
    with tracker() as sentry:
        worker = start_worker(*WORDS, "-c", "5", environment={"SENTRY_DSN": sentry.dsn})
        for _ in range(4):
            limits.blocked.delay(stuck)
        wait_for("their start", lambda: len(notes(client, stuck)) == 4)
        wait_for("the new worker", lambda: worker.log.count(" ready.") == 2)
        (logged,), tags = sentry.said, [event["tags"] for event in sentry.events]
    held = "4 slots are held by tasks past their hard time limit (limits.blocked)"
    assert held in logged
    worker.wait_for_log(held)
    assert [each.get("task") for each in tags].count("limits.blocked") == 4
    assert worker.popen.poll() is None  # the same process, for its supervisor
    for _ in range(6):
        limits.quick.delay(after)
    wait_for("tasks go on", lambda: len(notes(client, after)) == 6)


def test_a_worker_that_was_replaced_just_now_leaves_it_to_its_supervisor(
    start_worker: StartWorker, client: Any
) -> None:
    replaced = {replace.STAMP: str(time.time())}
    worker = start_worker(*WORDS, "-c", "5", environment=replaced)
    for _ in range(4):
        limits.blocked.delay(str(uuid4()))
    assert worker.wait() == replace.EXIT_CODE
    assert "s ago and is past a limit again: it exits with code 75" in worker.log
