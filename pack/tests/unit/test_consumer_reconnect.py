"""After a long outage a worker is back within seconds: kombu would wait half a minute."""

from types import SimpleNamespace
from typing import Any

from dutiful.drills.host.celery import app
from dutiful.worker.consumer.lossless import LosslessConsumer
from dutiful.worker.consumer.reconnection import RECONNECT_SECONDS


def test_it_asks_for_the_broker_every_few_seconds_and_for_as_long_as_before() -> None:
    asked: list[Any] = []

    def ensure(errback: Any, tries: int | None, **options: Any) -> str:
        asked.append((tries, options["interval_max"]))
        return "connected"

    consumer = LosslessConsumer.__new__(LosslessConsumer)
    consumer.app, consumer.first_connection_attempt = app, False
    assert consumer.ensure_connected(SimpleNamespace(ensure_connection=ensure)) == "connected"
    assert asked == [(10 * app.conf.broker_connection_max_retries, RECONNECT_SECONDS)]
