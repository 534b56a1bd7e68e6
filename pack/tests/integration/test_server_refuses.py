"""A server that takes nothing for a while, as in a failover, ends no worker and loses no ack."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import redis
from kombu import Exchange, Queue

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support.letters import notes
from tests.support.refusing import Allow, busy, demoted, without_replicas
from tests.support.transport import Peer, connect, publish

FAST = "average_fast"
LOST = "Connection to broker lost"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("refuse", "pool"),
    [(demoted, "threads"), (demoted, "prefork"), (without_replicas, "threads")],
)
def test_a_worker_goes_on_afterwards(
    server: EmbeddedBroker, start_worker: StartWorker, refuse: Callable[[Any], Allow], pool: str
) -> None:
    words = ("-Q", FAST, "-P", pool, "-c", "2", "-I", "tests.support.suspects")
    worker = start_worker(*words, environment={"BROKER_URL": server.url})
    with (
        redis.Redis.from_url(server.url, decode_responses=True, socket_timeout=2) as client,
        app.connection_for_write(server.url) as connection,
    ):

        def send(seconds: float) -> str:
            key = str(uuid4())
            task = ("suspects.bystander", [key, seconds])
            app.send_task(*task, queue=FAST, connection=connection)
            return key

        held = send(3)  # its ack is refused
        wait_for("a run", lambda: notes(client, held))
        time.sleep(1)  # the worker's loop sleeps on its bells
        allow = refuse(client)
        time.sleep(4)
        assert worker.popen.poll() is None, worker.log
        allow()
        last = send(0)
        wait_for("a run afterwards", lambda: notes(client, last), 20)
        wait_for("every ack", lambda: not client.exists("dutiful:messages"), 20)
        assert (notes(client, held), notes(client, last)) == (["start"], ["start"])
    assert worker.popen.poll() is None
    assert "Frequent restarts" not in worker.log
    assert worker.log.count(LOST) < 10


@pytest.mark.parametrize("looped", [True, False])
@pytest.mark.parametrize("refuse", [demoted, without_replicas, busy])
def test_an_ack_that_is_refused_is_sent_again(
    server: EmbeddedBroker, refuse: Callable[[Any], Allow], looped: bool
) -> None:
    """Without an event loop too, as under gevent."""
    peer = Peer(server.url, ["q"])
    peer.looped = looped
    peer.connect()
    with (
        connect(server.url) as connection,
        redis.Redis.from_url(server.url, socket_timeout=2) as client,
    ):
        publish(connection, 1)
        peer.claim()
        peer.got[0].ack()
        allow = refuse(client)
        with pytest.raises(redis.ConnectionError):
            peer.claim()
        allow()
        peer.connect()
        peer.claim()
        assert not client.exists("dutiful:messages", "q")
    peer.vanish()


@pytest.mark.parametrize("refuse", [demoted, without_replicas])
def test_a_binding_that_is_refused_is_tried_again(
    server: EmbeddedBroker, refuse: Callable[[Any], Allow]
) -> None:
    """In a pipeline of kombu's own."""
    with connect(server.url) as connection, redis.Redis.from_url(server.url) as client:
        exchange = Exchange(f"of {refuse.__name__}", channel=connection.channel())
        exchange.declare()
        queue = Queue("q", exchange, "q", channel=exchange.channel)
        refuse(client)
        with pytest.raises(redis.ConnectionError):
            queue.queue_bind()
