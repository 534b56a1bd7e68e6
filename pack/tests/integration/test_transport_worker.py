"""The transport under real workers: nothing remains, stock beside ours, delays in Redis."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kombu import Connection
from kombu.transport import redis as stock

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.publishing.batch import publish_batch
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import transport_tasks

pytest_plugins = ["tests.support.transport_fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)
counted: Any = transport_tasks.counted  # with options that the types do not know
nothing = transport_tasks.nothing
SERVES = ("--profile", "io", "-I", "tests.support.transport_tasks", "--loglevel", "INFO")


@pytest.fixture
def stock_connection(broker: EmbeddedBroker) -> Iterator[Any]:
    """kombu's own transport, as another project's producer has it."""
    with Connection(broker.url, transport=stock.Transport) as found:
        yield found


def keys(client: Any) -> set[bytes]:
    aside = (b"test:", b"dutiful:monitoring:")
    return {key for key in client.scan_iter(count=1000) if not key.startswith(aside)}


def runs(client: Any, key: str) -> list[float]:
    return [float(each) for each in client.lrange(f"test:{key}", 0, -1)]


def test_ten_thousand_tasks_leave_nothing_in_redis(
    redis_client: Any, start_worker: StartWorker
) -> None:
    start_worker(*SERVES)
    counted.delay("first")
    wait_for("the first", lambda: runs(redis_client, "first"))
    wait_for("its ack", lambda: not redis_client.exists("dutiful:messages"))
    before = keys(redis_client)
    for _ in range(10):
        publish_batch(nothing, [()] * 1000)
    counted.delay("last")

    def done() -> bool:
        queues = ("urgent_fast", "average_slow", "dutiful:messages")
        return not redis_client.exists(*queues)

    wait_for("all of them acknowledged", done)
    wait_for("the key space of before", lambda: keys(redis_client) == before)
    assert redis_client.xlen("dutiful:dead_letters") == 0


def test_a_stock_producer_wakes_an_idle_worker(
    redis_client: Any, start_worker: StartWorker, stock_connection: Any
) -> None:
    start_worker(*SERVES)
    time.sleep(2)  # idle, asleep on its bells
    waits = []
    for i in range(3):
        sent = time.time()
        counted.apply_async((f"stock{i}",), connection=stock_connection)
        (ran,) = wait_for("it", lambda i=i: runs(redis_client, f"stock{i}"))  # type: ignore[misc]
        waits.append(ran - sent)
    assert max(waits) < 5  # 1.1 on a machine at rest: poll_seconds


def test_a_delay_waits_in_redis_whoever_sent_it(
    redis_client: Any, start_worker: StartWorker, stock_connection: Any
) -> None:
    worker = start_worker(*SERVES)
    due = datetime.now(UTC) + timedelta(seconds=4)
    counted.apply_async(("ours",), eta=due)
    counted.apply_async(("stock",), eta=due, connection=stock_connection)
    wait_for("both parked", lambda: redis_client.zcard("dutiful:parked") == 2)
    for key in ("ours", "stock"):
        (ran,) = wait_for(key, lambda key=key: runs(redis_client, key))  # type: ignore[misc]
        assert -0.1 < ran - due.timestamp() < 5
    wait_for(
        "nothing parked", lambda: not redis_client.exists("dutiful:messages", "dutiful:parked")
    )
    assert "Traceback" not in worker.log


def test_revoking_deletes_a_parked_message(redis_client: Any, start_worker: StartWorker) -> None:
    worker = start_worker(*SERVES)
    result = counted.apply_async(("revoked",), countdown=3600)
    kept = counted.apply_async(("kept",), countdown=3600)
    assert redis_client.zcard("dutiful:parked") == 2
    with app.connection_for_write() as fresh:  # a test before may have ended the pool's
        answer = app.control.revoke(result.id, reply=True, timeout=5, connection=fresh)
    assert "flagged as revoked" in str(answer)
    assert redis_client.zrange("dutiful:parked", 0, -1)
    assert redis_client.hkeys("dutiful:parked_ids") == [kept.id.encode()]
    assert redis_client.hlen("dutiful:messages") == 1
    worker.wait_for_log("was revoked before its time")


def test_a_rolling_switch_to_ours_and_back_loses_and_doubles_nothing(
    redis_client: Any, start_worker: StartWorker, stock_connection: Any
) -> None:
    """Running, waiting and delayed messages, at each of the two switches."""
    back_to_stock = {"BROKER_STOCK_TRANSPORT": "1", "GRACE_SECONDS": "10"}
    sent: list[str] = []

    def send(name: str, **options: Any) -> None:
        for i in range(10):
            key = f"{name}-{i}"
            counted.apply_async((key, 0.5), **options)
            sent.append(key)

    before = start_worker(*SERVES, "-c", "4", environment=back_to_stock)
    send("stock-delayed", connection=stock_connection, countdown=12)  # in its memory
    send("ours-delayed", countdown=13)  # parked
    send("stock", connection=stock_connection)
    send("ours")
    ours = start_worker(*SERVES, "-c", "4", environment={"GRACE_SECONDS": "10"})
    before.signal(15)
    send("between")
    before.wait()
    wait_for("delays are over", lambda: redis_client.zcard("dutiful:parked") == 0)
    send("again")
    send("again-stock", connection=stock_connection)
    after = start_worker(*SERVES, "-c", "4", environment=back_to_stock)
    ours.signal(15)
    ours.wait()

    wait_for("all of them", lambda: all(runs(redis_client, key) for key in sent))
    wait_for("nothing is left", lambda: not redis_client.exists("dutiful:messages", "average_slow"))
    assert {key: len(runs(redis_client, key)) for key in sent} == dict.fromkeys(sent, 1)
    after.stop()
