"""One RabbitMQ node for the whole tier, and workers on it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, pools

from dutiful.conf import queues
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.publishing import hooks
from dutiful.testing.processes import Running, celery
from dutiful.testing.publishing import publishing_to
from dutiful.testing.rabbitmq import RabbitMissing, RabbitMQ, program
from dutiful.transport.rabbitmq import quorum

Start = Callable[..., Running]
QUEUE, SLOW = "average_fast", "average_slow"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Skips where there is no RabbitMQ, unless CI says that this tier must run."""
    try:
        program("rabbitmq-server")
    except RabbitMissing as missing:
        # A tier that CI_TIERS names may not pass by being skipped.
        if "rabbitmq" in os.environ.get("CI_TIERS", ""):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running


@contextmanager
def speaking_to(url: str) -> Iterator[None]:
    """This process has RabbitMQ's queues and sends there, as one does with that BROKER_URL."""
    redis_queues = app.conf.task_queues
    outbox: Any = hooks.outbox
    app.conf.task_queues = quorum.queues(queues.names())
    _forget(outbox)
    try:
        with publishing_to(url):
            try:
                yield
            finally:
                if outbox._sender is not None:
                    outbox._sender.pool.close()
                pools.reset()
    finally:
        app.conf.task_queues = redis_queues
        _forget(outbox)


def surroundings(url: str) -> dict[str, str]:
    """The environment of a process on RabbitMQ: beat's lease and the results need a Redis."""
    return {"BROKER_URL": url, "REDIS_URL": os.environ["BROKER_URL"], "GRACE_SECONDS": "5"}


def _forget(outbox: Any) -> None:
    for name in ("amqp", "publisher"):
        vars(app).pop(name, None)
    outbox._sender = None


@pytest.fixture
def rabbit(node: RabbitMQ, broker: EmbeddedBroker, django_db_setup: None) -> Iterator[RabbitMQ]:
    """The node, its queues empty, and this process's app on it. Redis has the results."""
    with Connection(node.url) as connection:
        for name in (*queues.names(), quorum.DEAD):
            channel: Any = connection.channel()
            try:
                channel.queue_purge(name)
            except connection.channel_errors:
                continue  # not there yet
    with speaking_to(node.url):
        yield node


@pytest.fixture
def worker(start: Start, node: RabbitMQ, broker: EmbeddedBroker, django_db_setup: None) -> Start:
    """`worker("-P", "threads", "-c", "2")`: serves two queues, ready."""

    def run(*words: str, **environment: str) -> Running:
        command = ("-Q", f"{QUEUE},{SLOW}", "-I", "tests.support.rabbiting", *words)
        running = start(celery("worker", *command), {**surroundings(node.url), **environment})
        running.wait_for_log(" ready.")
        return running

    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where tasks note."""
    return tmp_path / "notes"
