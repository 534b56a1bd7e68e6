"""delay() and publish_batch(): Celery's messages and signals, each run once, all or none."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import Celery, chain, signals
from kombu.exceptions import OperationalError

from dutiful import env
from dutiful.catalogue.classes import DEFAULT_PAYLOAD_LIMIT as LIMIT
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.publishing.batch import CHUNK, publish_batch
from dutiful.publishing.message import PayloadError
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import batches
from tests.support.outbox import empty, numbers, stopped

noted: Any = batches.noted  # its types know nothing of our options
QUEUE = "average_fast"
RANDOM = {"id", "root_id", "correlation_id", "delivery_tag", "enqueued_at"}


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.delete(QUEUE)
        yield client
        client.delete(QUEUE, f"{QUEUE}:notify")


@pytest.fixture
def celery_own(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it: from then on everything goes the way that Celery goes."""
    return lambda: monkeypatch.setattr(app.publisher, "usable", False)


def taken(client: Any) -> dict[str, Any]:
    """The message that was published last, without what differs from message to message."""
    message = json.loads(client.lpop(QUEUE))
    assert message["headers"]["id"] == message["properties"]["correlation_id"]
    message["body"] = json.loads(b64decode(message["body"]))
    for part in (message["headers"], message["properties"]):
        for name in RANDOM & set(part):
            part[name] = "…"
    return dict(message)


@pytest.mark.parametrize(
    "publish",
    [
        lambda: noted.delay("ключ", 1, note="x"),
        lambda: noted.apply_async(("a", 2), priority=3, headers={"mine": "1"}),
        lambda: noted.apply_async(("a", 2), time_limit=9, soft_time_limit=8, ignore_result=False),
    ],
)
def test_the_message_is_celerys_own(
    client: Any, celery_own: Callable[[], None], publish: Callable[[], Any]
) -> None:
    publish()
    for queue in client.keys(f"{QUEUE}*3"):
        client.rename(queue, QUEUE)
    ours = taken(client)
    celery_own()
    publish()
    for queue in client.keys(f"{QUEUE}*3"):
        client.rename(queue, QUEUE)
    assert ours == taken(client)


def test_a_message_of_a_batch_is_celerys_own(client: Any, celery_own: Callable[[], None]) -> None:
    publish_batch(noted, [("a", 1), {"key": 'é"\n', "number": 2}])
    second, first = taken(client), taken(client)
    celery_own()
    noted.delay("a", 1)
    assert first == taken(client)
    noted.apply_async((), {"key": 'é"\n', "number": 2})
    assert second == taken(client)


@pytest.mark.django_db(transaction=True)
def test_a_worker_runs_each_message_of_a_batch_once(client: Any, start_worker: StartWorker) -> None:
    start_worker("--profile", "io", "-c", "4", "-I", "tests.support.batches")
    key, total = str(uuid4()), CHUNK + 20
    results = publish_batch(noted, ((key, number) for number in range(total)))
    assert len(results) == len({result.id for result in results}) == total

    def ran() -> bool:
        return int(client.llen(f"test:{key}")) >= total

    wait_for("all of them", ran)
    wait_for("their acks", lambda: not client.exists("dutiful:messages"))
    assert sorted(map(int, client.lrange(f"test:{key}", 0, -1))) == list(range(total))


def test_signals_fire_for_each_message_with_its_id(client: Any) -> None:
    seen: list[tuple[str, str, int]] = []

    def before(headers: Any, body: Any, **_: Any) -> None:
        headers["marked"] = body[0][1]
        seen.append(("before", headers["id"], body[0][1]))

    def after(headers: Any, body: Any, **_: Any) -> None:
        seen.append(("after", headers["id"], body[0][1]))

    signals.before_task_publish.connect(before, sender=noted.name)
    signals.after_task_publish.connect(after, sender=noted.name)
    try:
        ids = [noted.delay("a", 0).id, *publish_batch(noted, [("a", 1), ("a", 2)]).ids]
    finally:
        signals.before_task_publish.disconnect(before, sender=noted.name)
        signals.after_task_publish.disconnect(after, sender=noted.name)
    wanted = {(when, ids[number], number) for when in ("before", "after") for number in range(3)}
    assert set(seen) == wanted
    assert len(seen) == 6
    assert [taken(client)["headers"]["marked"] for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (("a", "x" * LIMIT), PayloadError),
        (("a", object()), PayloadError),
        (("a",), TypeError),
        ("ab", TypeError),
    ],
)
def test_one_bad_message_refuses_the_batch(client: Any, bad: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        publish_batch(noted, [*((("a", number)) for number in range(CHUNK + 5)), bad])
    assert client.llen(QUEUE) == 0


def test_an_empty_batch_sends_nothing(client: Any) -> None:
    assert list(publish_batch(noted, [])) == []
    assert client.llen(QUEUE) == 0


def test_a_broken_connection_is_mended(client: Any) -> None:
    noted.delay("a", 0)
    client.client_kill_filter(_type="normal", skipme=True)
    noted.delay("a", 1)
    client.client_kill_filter(_type="normal", skipme=True)
    publish_batch(noted, [("a", 2), ("a", 3)])
    numbers = [taken(client)["body"][0][1] for _ in range(client.llen(QUEUE))]
    assert sorted(set(numbers)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "publish",
    [
        lambda: noted.apply_async(("a", 1), outbox=False),
        lambda: noted.apply_async(("a", 1), outbox=False, expires=60),
        lambda: publish_batch(noted, [("a", 1)]),
    ],
)
def test_without_the_outbox_a_broker_that_is_down_is_the_callers_error(
    broker: EmbeddedBroker, publish: Callable[[], Any]
) -> None:
    with stopped(broker), pytest.raises(OperationalError):
        publish()
    publish()
    assert numbers(broker) == [1]
    empty(broker)


def test_what_has_more_to_it_goes_celerys_way(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own: list[str] = []
    stock = Celery.send_task

    def watched(self: Any, name: str, *args: Any, **options: Any) -> Any:
        own.append(name)
        return stock(self, name, *args, **options)

    monkeypatch.setattr(Celery, "send_task", watched)
    noted.delay("a", 1)
    assert own == []
    chain(noted.si("a", 1), noted.si("a", 2)).apply_async()
    noted.apply_async(("a", 3), expires=60)
    noted.apply_async(("a", 4), link=noted.si("a", 5))
    assert len(own) == 3


def test_on_stocks_transport_a_batch_is_delay_for_each(client: Any, broker: EmbeddedBroker) -> None:
    script = (
        "import django; django.setup()\n"
        "from dutiful.publishing.batch import publish_batch\n"
        "from tests.support.batches import noted\n"
        "print(len(publish_batch(noted, [('a', number) for number in range(7)]).ids))"
    )
    told = {"BROKER_STOCK_TRANSPORT": "1", "DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=env.ROOT,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["7"], done.stderr
    assert client.llen(QUEUE) == 7
    assert not client.exists(f"{QUEUE}:notify")
