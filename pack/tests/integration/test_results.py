"""Results: off by default, small, kept for a day, and refused if a chain cannot take them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import chain
from celery.result import AsyncResult

from dutiful.conf.queues import by_name
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host import settings
from dutiful.drills.host.celery import app
from dutiful.task.results import LIMIT
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "average_fast"


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def worker(start_worker: StartWorker) -> Running:
    return start_worker("-Q", QUEUE, "-c", "2", "-I", "tests.support.returns")


def send(key: str, size: int, **options: Any) -> AsyncResult[Any]:
    return app.send_task("returns.letters", [key, size], queue=QUEUE, **options)


def kept(client: Any, result: AsyncResult[Any]) -> str:
    return f"celery-task-meta-{result.id}"


def test_only_what_is_asked_for_is_kept_and_for_a_day(worker: Running, client: Any) -> None:
    key = str(uuid4())
    plain, asked = send(key, 10), send(key, 10, ignore_result=False)
    assert wait_for("the result", asked.get) == "x" * 10
    wait_for("both runs", lambda: client.llen(f"test:{key}") == 2)
    assert not client.exists(kept(client, plain))
    assert 0 < client.ttl(kept(client, asked)) <= timedelta(days=1).total_seconds()
    assert timedelta(days=1) == settings.CELERY_RESULT_EXPIRES


def test_a_result_over_the_limit_fails_with_the_sizes_after_one_run(
    worker: Running, client: Any
) -> None:
    key = str(uuid4())
    result = send(key, LIMIT, ignore_result=False)
    with pytest.raises(Exception, match=rf"is {LIMIT + 2} bytes of JSON, the limit is {LIMIT}"):
        result.get(timeout=30)
    assert type(result.result).__name__ == "ResultRefused"
    assert client.strlen(kept(client, result)) < 20_000
    assert client.llen(f"test:{key}") == 1, "its work was done once"

    def letters() -> list[str]:
        entries = [entry for _, entry in client.xrange("dutiful:dead_letters")]
        return [entry["reason"] for entry in entries if key in str(entry)]

    assert wait_for("its dead letter", letters) == ["result refused"]


def test_nobody_asked_so_its_size_does_not_matter(worker: Running, client: Any) -> None:
    key = str(uuid4())
    send(key, 2 * LIMIT)
    wait_for("the run", lambda: client.llen(f"test:{key}") == 1)
    assert send(key, 1, ignore_result=False).get(timeout=30) == "x"
    assert "ResultRefused" not in worker.log


def test_a_result_that_the_next_step_cannot_take_ends_the_chain(
    worker: Running, client: Any
) -> None:
    """Celery would notice it after the end of the task, as an internal error."""
    key, size = str(uuid4()), by_name(QUEUE).payload_limit
    steps = chain(
        app.signature("returns.letters", args=(key, size), queue=QUEUE),
        app.signature("returns.count", args=(key,), queue=QUEUE),
    )
    first: Any = steps.apply_async(ignore_result=False).parent
    wait_for("its failure", lambda: first.status == "FAILURE")
    assert "cannot be handed on: returns.count: the arguments are" in str(first.result)
    assert client.lrange(f"test:{key}", 0, -1) == ["letters"]


def test_a_chain_of_small_results_goes_on(worker: Running, client: Any) -> None:
    key = str(uuid4())
    steps = chain(
        app.signature("returns.letters", args=(key, 5), queue=QUEUE),
        app.signature("returns.count", args=(key,), queue=QUEUE, ignore_result=False),
    )
    assert steps.apply_async().get(timeout=30) == 5
