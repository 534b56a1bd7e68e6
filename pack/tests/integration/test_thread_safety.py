"""A task that is not safe on threads runs in processes, or its worker does not start."""

from collections.abc import Callable
from uuid import uuid4

import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, celery, wait_for
from tests.support import tasks

TESTING = {"DJANGO_SETTINGS_MODULE": "tests.support.settings"}


def test_it_runs_in_a_process(broker: EmbeddedBroker, start_worker: StartWorker) -> None:
    start_worker("--profile", "compute", "-c", "1", environment=TESTING)
    key = str(uuid4())
    tasks.legacy.delay(key)
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        (where,) = wait_for("its run", lambda: client.lrange(f"test:{key}", 0, -1))
    assert where.startswith("ForkPoolWorker"), where


def test_threads_do_not_serve_its_queue(
    broker: EmbeddedBroker, start: Callable[..., Running], django_db_setup: None
) -> None:
    command = celery("worker", "-Q", "average_slow_compute", "-P", "threads")
    worker = start(command, TESTING)
    assert worker.wait() == 2
    assert "tests.support.tasks.legacy: thread_safe=False" in worker.log
    assert "with -P prefork" in worker.log
