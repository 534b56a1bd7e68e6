"""Dead letters are never trimmed: their size is an error in the log, once."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection, Exchange, Queue

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.transport.redis.dead import DeadLetters
from dutiful.transport.redis.dead_alarm import alarm_of
from dutiful.transport.redis.transport import register


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "broker") as running:
        yield running


@pytest.mark.parametrize("prefix", ["", "shop-"])
def test_too_many_dead_letters_are_an_error(
    own_broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture, prefix: str
) -> None:
    register()
    options = {"dead_letters_alert_bytes": 50_000, "global_keyprefix": prefix}
    queue = Queue("letters", Exchange("letters"), "letters")
    with (
        Connection(own_broker.url, transport_options=options) as connection,
        redis.Redis.from_url(own_broker.url) as client,
    ):
        channel: Any = connection.channel()
        queue.bind(channel).declare()
        look = alarm_of(channel)
        for _ in range(3):
            client.lpush(f"{prefix}letters", b"hostile" * 5000)
        assert channel.basic_get("letters", no_ack=True) is None
        assert DeadLetters(client, prefix).count() == 3
        with caplog.at_level(logging.ERROR, "dutiful.transport.redis.dead_alarm"):
            look()
            look()
    assert caplog.text.count("3 dead letters take") == 1


def test_few_dead_letters_are_not(
    own_broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    register()
    with Connection(own_broker.url) as connection:
        with caplog.at_level(logging.ERROR, "dutiful.transport.redis.dead_alarm"):
            alarm_of(connection.channel())()
        assert caplog.text == ""
