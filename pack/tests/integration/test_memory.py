"""A worker's memory, in real workers: past its limit it is replaced, and the leak has a name."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from dutiful.worker.memory import usage
from tests.support import limits
from tests.support.sentry import tracker

INCLUDE = ("-I", "tests.support.limits")


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        yield client


def runs(client: Any, key: str) -> int:
    return int(client.llen(f"test:{key}"))


def test_threads_past_the_profiles_memory_are_replaced_and_the_leak_is_named(
    start_worker: StartWorker, client: Any
) -> None:
    with tracker() as sentry:
        environment = {"SENTRY_DSN": sentry.dsn}
        arguments = ("-Q", "average_fast", "-c", "4", *INCLUDE)
        worker = start_worker(*arguments, environment=environment)
        drained(worker, client)
        (event,) = sentry.events
    assert "limits.leaks kept about 2" in event["logentry"]["message"]


def drained(worker: Running, client: Any) -> None:
    """Fills the worker's memory; returns once another has taken its place."""
    waiting, leaking, after = (str(uuid4()) for _ in range(3))
    for _ in range(12):
        limits.waits.delay(waiting, 0.5)
        limits.leaks.delay(leaking, 20)
    wait_for("the new worker", lambda: worker.log.count(" ready.") == 2)
    assert worker.popen.poll() is None  # the same process, for its supervisor
    (logged,) = (line for line in worker.log.splitlines() if "drains and is replaced" in line)
    assert "past the 256 MB of profile io" in logged
    worst = logged.split("since its start; ")[1]
    assert worst.startswith("limits.leaks kept about 2")  # of 240 MB

    limits.quick.delay(after)
    wait_for("tasks go on", lambda: runs(client, after) == 1)
    wait_for("nothing is lost", lambda: (runs(client, waiting), runs(client, leaking)) == (12, 12))


def test_a_leaking_childs_successor_goes_on_and_the_leak_is_named(
    start_worker: StartWorker, client: Any
) -> None:
    arguments = ("-Q", "average_slow_compute", "-c", "1", "--max-memory-per-child", "150000")
    worker = start_worker(*arguments, *INCLUDE)
    key = str(uuid4())
    for _ in range(10):
        limits.leaks_in_child.delay(key, 20)
    wait_for("nothing is lost", lambda: runs(client, key) == 10)
    logged = [line for line in worker.log.splitlines() if "is replaced: it took" in line]
    assert len(logged) >= 2
    assert "past the 146 MB of a child; limits.leaks_in_child raised it by" in logged[0]
    wait_for("the last ack", lambda: client.hlen("dutiful:messages") == 0)


def test_a_child_is_replaced_after_its_tasks(start_worker: StartWorker, client: Any) -> None:
    arguments = ("-Q", "average_slow_compute", "-c", "1", "--max-tasks-per-child", "3")
    start_worker(*arguments, *INCLUDE)
    key = str(uuid4())
    for _ in range(10):
        limits.pid_of_child.delay(key)
    wait_for("nothing is lost", lambda: runs(client, key) == 10)
    assert len(set(client.lrange(f"test:{key}", 0, -1))) == 4  # children: 3, 3, 3 and 1


def noted(client: Any) -> dict[str, Any]:
    """Returns the facts that a worker keeps with its lease, once they have a reading."""
    (owner,) = client.keys("dutiful:owner:*")
    facts: dict[str, Any] = json.loads(client.hget(owner, "facts"))
    return facts if facts.get("memory") else {}


def test_a_killed_workers_last_reading_is_logged_by_another(
    start_worker: StartWorker, client: Any
) -> None:
    """A worker that the system kills for its memory can log nothing itself."""
    arguments = ("-Q", "average_fast", "-c", "1", *INCLUDE)
    worker = start_worker(*arguments)
    limits.leaks.delay(str(uuid4()), 60)
    wait_for("a reading", lambda: noted(client).get("task") == "limits.leaks")
    worker.kill_group()
    with tracker() as sentry:
        survivor = start_worker(*arguments, environment={"SENTRY_DSN": sentry.dsn})
        (logged,) = wait_for("the event", lambda: sentry.said)
    assert "vanished" in logged
    assert logged in survivor.log
    read = re.search(r"last memory reading: (\d+) MiB", logged, re.IGNORECASE)
    assert read is not None, logged
    assert int(read[1]) > 100
    assert "limits.leaks" in logged


def test_a_prefork_workers_reading_is_of_all_its_processes(
    start_worker: StartWorker, client: Any
) -> None:
    worker = start_worker("-Q", "average_slow_compute", "-c", "2", *INCLUDE)
    facts = wait_for("a reading", lambda: noted(client))
    assert facts["memory"] > 1.5 * usage.used(worker.pid) > 0
