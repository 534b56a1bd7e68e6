"""Which broker a connection leads to, and what each can do; nobody connects."""

import pytest
from kombu import Connection
from kombu.transport import redis as kombu_redis

from dutiful.transport import brokers
from dutiful.transport.redis.transport import SentinelTransport, Transport


@pytest.mark.parametrize(
    ("url", "transport", "name"),
    [
        ("redis://127.0.0.1:1", Transport, "ours"),
        ("sentinel://127.0.0.1:1", SentinelTransport, "ours"),
        ("redis://127.0.0.1:1", kombu_redis.Transport, "stock"),
        ("memory://", None, "stock"),
        ("amqp://127.0.0.1:1", None, "rabbitmq"),
    ],
)
def test_each_url_has_its_broker(url: str, transport: type | None, name: str) -> None:
    connection = Connection(url, transport=transport)
    assert brokers.of(connection).name == name


def test_only_ours_has_leases_and_publishes_by_script() -> None:
    options = {"lease_seconds": 7}
    every = (brokers.OURS, brokers.RABBITMQ, brokers.STOCK)
    assert [each.lease_seconds(options) for each in every] == [7, None, None]
    assert [each.publishes_by_script for each in every] == [True, False, False]
    assert brokers.STOCK.revoke_delayed(None, ["1"]) == []


def test_the_memory_transport_has_no_dead_letters() -> None:
    with Connection("memory://") as connection:
        broker = brokers.of(connection)
        assert broker.redis_channel(connection) is None
        with broker.dead_letters(connection) as letters:
            assert letters is None
