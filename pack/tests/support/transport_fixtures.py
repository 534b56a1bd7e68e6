"""Fixtures of the transport's tests: an empty server and simulated workers on it."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.transport.redis.owner import owners
from tests.support.transport import NewPeer, Peer


@pytest.fixture
def redis_client(broker: EmbeddedBroker) -> Iterator[Any]:
    """The session's server, emptied. Owners that the test made in this process end with it."""
    with redis.Redis.from_url(broker.url) as found:
        found.flushall()
        yield found
        for owner in owners():
            if f" {broker.port} " in owner.broker:  # not what another file left of a dead server
                assert owner.close(10)


@pytest.fixture
def new_peer(broker: EmbeddedBroker) -> Iterator[NewPeer]:
    """`new_peer("q", "r")`: a simulated worker of these queues."""
    peers: list[Peer] = []

    def make(*queues: str, **options: Any) -> Peer:
        peers.append(Peer(broker.url, list(queues), **options))
        return peers[-1]

    yield make
    for peer in peers:
        if peer.channel is not None:
            peer.vanish()
