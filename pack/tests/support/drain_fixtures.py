"""A worker that is to be stopped, on a broker of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, celery
from dutiful.testing.publishing import publishing_to
from tests.support.drain import GRACE, QUEUE, Worker


@pytest.fixture
def client(server: EmbeddedBroker) -> Iterator[Any]:
    with publishing_to(server.url), redis.Redis.from_url(server.url) as found:
        yield found


@pytest.fixture
def worker(start: Callable[..., Running], server: EmbeddedBroker, django_db_setup: None) -> Worker:
    def run(profile: str, *arguments: str, slots: int = 2, **environment: str) -> Running:
        command = ("--profile", profile, "-Q", QUEUE, "-c", str(slots))
        running = start(
            celery("worker", *command, "-I", "tests.support.lasting", *arguments),
            {
                "BROKER_URL": server.url,
                "GRACE_SECONDS": str(GRACE),
                **environment,
            },
        )
        running.wait_for_log(" ready.")
        return running

    return run
