"""`celery control cancel_consumer` under load: claims are under way whenever it comes."""

from typing import Any

import pytest

from dutiful.drills.host.celery import app
from dutiful.publishing.batch import publish_batch
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import transport_tasks

pytest_plugins = ["tests.support.transport_fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "urgent_fast"
TOTAL = 12_000


def test_a_busy_queue_is_cancelled_and_consumed_again(
    redis_client: Any, start_worker: StartWorker
) -> None:
    words = ("--profile", "io", "-I", "tests.support.transport_tasks", "--loglevel", "INFO")
    worker = start_worker(*words)
    for _ in range(TOTAL // 1000):
        publish_batch(transport_tasks.nothing, [()] * 1000)
    cancelled_busy = 0
    with app.connection_for_write() as fresh:

        def control(name: str) -> None:
            answer = app.control.broadcast(
                name, arguments={"queue": QUEUE}, reply=True, timeout=5, limit=1, connection=fresh
            )
            assert "ok" in str(answer), worker.log[-3000:]

        for _ in range(20):
            control("cancel_consumer")
            cancelled_busy += redis_client.llen(QUEUE) > 0
            control("add_consumer")
    assert cancelled_busy > 3

    def done() -> bool:
        return not redis_client.exists(QUEUE, "dutiful:messages")

    wait_for("all of them acknowledged", done, 60)
    assert "Traceback" not in worker.log
