"""An event loop is notified whatever becomes of the connection that it waits on."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import uuid4

import kombu
import pytest
from kombu.asynchronous import Hub

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.transport.redis import transport


class Listening:
    """A consumer on a loop that is turned by hand."""

    def __init__(self, url: str) -> None:
        self.url, self.queue = url, f"notify-{uuid4().hex}"
        self.received: list[int] = []
        self.hub: Any = Hub()
        self.connection: Any = kombu.Connection(url)
        self.consumer: Any = kombu.Consumer(
            self.connection, queues=[kombu.Queue(self.queue)], callbacks=[self._take]
        )
        self.consumer.consume()
        self.connection.register_with_event_loop(self.hub)
        self.turn(0.5)

    def _take(self, body: int, message: Any) -> None:
        self.received.append(body)
        message.ack()

    def turn(self, seconds: float, until: int | None = None) -> bool:
        """Turns for so long, or until so many have come: then True."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for tick in list(self.hub.on_tick):
                tick()
            for fd, _ in self.hub.poller.poll(0.1) or ():
                callback, words = self.hub.readers[fd]
                with suppress(Empty):
                    callback(*words)
            if until is not None and len(self.received) >= until:
                return True
        return until is None

    def publish(self, body: int) -> None:
        with kombu.Connection(self.url) as other:
            kombu.Producer(other.channel()).publish(body, routing_key=self.queue)

    @property
    def waiting_connection(self) -> Any:
        """redis-py's connection that waits on the notify list."""
        return self.consumer.channel.client.connection


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    transport.register()
    with EmbeddedBroker(tmp_path / "broker") as server:
        found = Listening(server.url)
        owner = found.consumer.channel.owner
        yield found
        owner.close()  # it is the process's: other tests must not meet it
        found.connection.close()


def test_a_waiting_connection_that_redis_py_made_anew_is_watched(listening: Listening) -> None:
    for count in range(1, 4):
        listening.waiting_connection.disconnect()  # the new socket gets the old one's number
        listening.waiting_connection.connect()
        listening.publish(count)
        assert listening.turn(5, until=count)


def test_so_is_the_one_of_the_claims(listening: Listening) -> None:
    listening.publish(0)
    assert listening.turn(5, until=1)
    for count in range(2, 5):
        listening.turn(0.3)
        pipeline = listening.consumer.channel.claimer.pipeline
        pipeline._connection._connection.disconnect()  # as after an error
        listening.publish(count)
        assert listening.turn(5, until=count)


def test_a_half_open_connection_delays_a_message_by_seconds(listening: Listening) -> None:
    """kombu notices after 26 to 51 seconds."""
    ours, theirs = socket.socketpair()  # nobody answers, and nobody hangs up
    listening.turn(0.3)
    os.dup2(ours.fileno(), listening.waiting_connection._sock.fileno())
    listening.publish(1)
    assert listening.turn(8, until=1)
    theirs.close()
    ours.close()
