"""Publishing and the outbox while the server refuses everything."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from kombu import Connection
from kombu.transport import redis as stock

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.outbox import daemon
from dutiful.outbox.models import OutboxMessage
from dutiful.transport.publisher_pool import PublisherPool
from dutiful.transport.redis.publisher import Parcel, Unavailable
from tests.support import batches
from tests.support.outbox import breaker_closed, empty, leave, numbers, relay_all
from tests.support.refusing import busy, demoted
from tests.support.transport import connect, raw_message

noted: Any = batches.noted  # its types know nothing of our options


@contextmanager
def is_busy(broker: EmbeddedBroker) -> Iterator[None]:
    with redis.Redis.from_url(broker.url, socket_timeout=1) as client:
        allow = busy(client)
        try:
            yield
        finally:
            allow()


@pytest.mark.django_db(transaction=True)
def test_a_busy_server_keeps_a_call_and_the_relay_goes_on(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(broker)
    monkeypatch.setattr(
        "dutiful.transport.redis.publisher.CLOCK_SECONDS", 0.0
    )  # it is asked each time
    relay = daemon.Daemon(app)
    relay._purged = time.monotonic()
    noted.delay("a", 1)
    leave(2)
    relay._turn()
    with is_busy(broker):
        noted.delay("a", 3)
        assert OutboxMessage.objects.count() == 1
        for _ in range(2):  # the rows', and a ping first
            assert relay._turn() == daemon.UNAVAILABLE
    breaker_closed()
    relay_all()
    assert numbers(broker) == [1, 2, 3]
    relay._relay.sender.pool.close()


def test_stocks_ping_of_a_busy_server_is_unavailable(broker: EmbeddedBroker) -> None:
    publishers = PublisherPool(
        lambda *_: Connection(broker.url, transport=stock.Transport), lambda _: [], 5, 1
    )
    publishers.ping()
    with is_busy(broker), pytest.raises(Unavailable, match="BUSY"):
        publishers.ping()
    publishers.close()


@pytest.mark.django_db(transaction=True)
def test_whatever_a_look_raises_the_relay_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = daemon.Daemon(app)
    relay._purged = time.monotonic()

    def fails() -> int:
        raise RuntimeError("of no known kind")

    with monkeypatch.context() as patch, caplog.at_level("INFO"):
        patch.setattr(relay._relay, "send", fails)
        assert [relay._turn() for _ in range(2)] == [daemon.UNAVAILABLE] * 2
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert record.exc_info is not None
    with caplog.at_level("INFO"):
        assert relay._turn() >= 1
    assert "relayed again" in caplog.text


@pytest.mark.parametrize("many", [False, True])
def test_a_demoted_server_is_left_for_the_one_its_name_leads_to_now(
    broker: EmbeddedBroker, server: EmbeddedBroker, many: bool
) -> None:
    """It lives on as a replica, answers a PING, and keeps its clients' connections."""
    leads_to = broker.url
    publishers = PublisherPool(lambda *_: connect(leads_to), lambda _: [], 5, 2)
    text = raw_message(1, "refused").decode()

    def put() -> list[Exception | None]:
        if many:
            return publishers.put_many("refused", 0, [text])
        return publishers.put([Parcel(text, "refused", plain=0)])

    with redis.Redis.from_url(broker.url) as old, redis.Redis.from_url(server.url) as new:
        assert put() == [None]
        allow = demoted(old)
        leads_to = server.url
        try:
            assert isinstance(put()[0], Unavailable)
            publishers.ping()
            assert put() == [None]
        finally:
            allow()
        assert (old.llen("refused"), new.llen("refused")) == (1, 1)
        old.delete("refused", "refused:notify")
    publishers.close()
