"""Routes of the host, and eager mode: what a plain call asks Celery's settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from celery import Celery
from django.test import override_settings

from dutiful.conf.queues import NotInCatalogue
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.publishing.batch import enqueue_many, publish_batch
from tests.support import batches

noted: Any = batches.noted  # its types know nothing of our options
QUEUE = "average_fast"


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.delete(QUEUE)
        yield client
        client.delete(QUEUE, f"{QUEUE}:notify")


@contextmanager
def routes(*own: Any) -> Iterator[list[str]]:
    """The host's `task_routes` before ours. Yields the names of what Celery prepares itself."""
    ours, by_celery, stock = app.conf.task_routes, [], Celery.send_task

    def watched(self: Any, name: str, *args: Any, **options: Any) -> Any:
        by_celery.append(name)
        return stock(self, name, *args, **options)

    app.conf.update(task_routes=[*own, *ours])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Celery, "send_task", watched)
            yield by_celery
    finally:
        app.conf.update(task_routes=ours)


def by_argument(name: str, args: Any, *_: Any, **__: Any) -> dict[str, str] | None:
    """A route function of a host."""
    return {"queue": "relaxed_slow"} if name == noted.name and args[1] == 2 else None


@pytest.mark.parametrize("outbox", [True, False])
def test_the_hosts_routes_are_followed(client: Any, outbox: bool) -> None:
    def publish() -> None:
        noted.apply_async(("a", 1), outbox=outbox)
        noted.apply_async(("a", 2), outbox=outbox)
        assert len((enqueue_many if outbox else publish_batch)(noted, [("a", 2)])) == 1

    def lengths() -> list[int]:
        return [client.llen(queue) for queue in (QUEUE, "relaxed_slow", "relaxed_slow\x06\x163")]

    client.flushdb()
    publish()
    assert lengths() == [3, 0, 0]
    with routes({"tests.support.batches.*": "relaxed_slow"}) as by_celery:
        publish()
        assert (lengths(), by_celery) == ([3, 3, 0], [])
    with routes({noted.name: {"queue": "relaxed_slow", "priority": 3}}):
        publish()
        assert lengths() == [3, 3, 3]
    with routes(by_argument):
        publish()
        assert lengths() == [4, 5, 3]
    publish()
    assert lengths() == [7, 5, 3]
    client.flushdb()


def test_a_route_to_a_queue_that_the_catalogue_lacks_is_refused_by_name(client: Any) -> None:
    refused = pytest.raises(NotInCatalogue, match=r"task_routes send .*noted to .*'emails'.*urgent")
    with routes({noted.name: {"queue": "emails"}}), refused:
        noted.delay("a", 1)
    assert client.llen("emails") == 0


def test_eager_mode_may_change_after_the_first_call(client: Any) -> None:
    """Celery reads the setting at each call; nothing of ours may keep the first answer."""
    noted.delay("a", 0)
    with override_settings(CELERY_TASK_ALWAYS_EAGER=True):
        assert app.conf.task_always_eager is True
    assert app.conf.task_always_eager is False
