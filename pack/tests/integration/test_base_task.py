"""The base task in real workers: retries, timeouts and killed children under its policy."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery.result import AsyncResult

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for

TESTING = {"DJANGO_SETTINGS_MODULE": "tests.support.settings"}


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def worker(start_worker: StartWorker, request: pytest.FixtureRequest) -> Running:
    return start_worker("--profile", request.param, "-c", "2", environment=TESTING)


def send(name: str, key: str, *args: Any, queue: str) -> AsyncResult[Any]:
    """Sends a task by its name, as another service would: this process has not imported it."""
    return app.send_task(
        f"tests.support.tasks.{name}", [key, *args], queue=queue, ignore_result=False
    )


IO, COMPUTE = "average_fast", "average_slow_compute"


@pytest.mark.parametrize("worker", ["io", "compute"], indirect=True)
def test_tries_again_under_its_policy(worker: Running, client: Any) -> None:
    queue = IO if "io@" in worker.log else COMPUTE
    key = str(uuid4())
    result = send("fails", key, 2, queue=queue)
    wait_for("success", lambda: result.status == "SUCCESS")
    assert client.lrange(f"test:{key}", 0, -1) == ["0", "1", "2"]

    spent, ended = str(uuid4()), str(uuid4())
    results = [send("fails", spent, 9, queue=queue), send("permanent", ended, queue=queue)]
    wait_for("failures", lambda: [r.status for r in results] == ["FAILURE", "FAILURE"])
    assert client.llen(f"test:{spent}") == 4  # the first try and three more
    assert client.llen(f"test:{ended}") == 1


@pytest.mark.parametrize("worker", ["compute"], indirect=True)
@pytest.mark.parametrize("name", ["overruns", "stubborn"])
def test_an_overrun_is_a_timeout_under_the_policy(worker: Running, client: Any, name: str) -> None:
    key = str(uuid4())
    result = send(name, key, queue=COMPUTE)
    wait_for("the second try", lambda: result.status == "SUCCESS")
    assert client.llen(f"test:{key}") == 2


@pytest.mark.parametrize("worker", ["compute"], indirect=True)
def test_a_task_that_kills_its_child_ends(worker: Running, client: Any) -> None:
    key = str(uuid4())
    result = send("kills_its_child", key, queue=COMPUTE)
    wait_for("the end", lambda: result.status == "FAILURE")
    assert client.llen(f"test:{key}") == 4  # two crashes and two isolated runs


@pytest.mark.parametrize("worker", ["compute"], indirect=True)
def test_late_ack_a_killed_worker_leaves_its_message(
    worker: Running, client: Any, broker: EmbeddedBroker
) -> None:
    key = str(uuid4())
    send("long", key, 60, queue=COMPUTE)
    wait_for("its start", lambda: client.llen(f"test:{key}") == 1)
    worker.kill_group()
    assert any(key in message for message in client.hvals("dutiful:messages"))


@pytest.mark.parametrize("worker", ["compute"], indirect=True)
def test_sigterm_finishes_what_runs(worker: Running, client: Any) -> None:
    key = str(uuid4())
    send("long", key, 2, queue=COMPUTE)
    wait_for("its start", lambda: client.llen(f"test:{key}") == 1)
    worker.popen.terminate()
    assert worker.wait() == 0
    assert client.lrange(f"test:{key}", 0, -1) == ["start", "end"]
