"""What the server may do, and what it takes: restarts, forgets scripts, limits users, has TLS."""

import contextlib
import time
from collections import Counter
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.transport.redis.owner import owners
from tests.support.transport import NewPeer, Peer, connect, raw_message

pytest_plugins = ["tests.support.transport_fixtures"]


def publish(connection: Any, queue: str, count: int = 1, **headers: Any) -> None:
    producer = connection.Producer()
    for number in range(count):
        producer.publish({}, routing_key=queue, headers={"id": str(number), **headers})


def test_scripts_that_the_server_forgot_are_loaded_again(
    redis_client: Any, broker: EmbeddedBroker, new_peer: NewPeer
) -> None:
    peer = new_peer("q")
    with connect(broker.url) as connection:
        for _ in range(2):
            redis_client.script_flush()
            publish(connection, "q")
            redis_client.script_flush()
            peer.claim()
            redis_client.script_flush()
            peer.got.pop(0).ack()
            peer.flush()
            redis_client.script_flush()
            peer.keep()
    assert not redis_client.exists("q", "dutiful:messages")


def test_a_server_that_was_killed_and_came_back_has_all(server: EmbeddedBroker) -> None:
    peer = Peer(server.url, ["q"])
    with connect(server.url) as connection:
        publish(connection, "q", 3)
    peer.claim(1)
    server.kill()
    with pytest.raises((redis.ConnectionError, ConnectionError)):
        peer.claim()
    server.start()
    peer.got[0].ack()
    peer.connect()
    peer.claim()
    assert sorted(peer.got) == [0, 1, 2]
    with redis.Redis.from_url(server.url) as client:
        assert client.hlen("dutiful:messages") == 2  # the ack went with the claim
        assert client.exists("dutiful:quiet")  # and nobody reaps for a lease
    peer.vanish()


def test_memory_of_a_message_is_bounded(redis_client: Any, new_peer: NewPeer) -> None:
    """Bytes of each key that grows, by the message, beside the message's own."""
    count = 500
    peer = new_peer("q", prefetch=count)
    raw = raw_message(10_000, "q")

    def bytes_each() -> float:
        names = [key for key in redis_client.scan_iter() if b":owner" not in key]
        return float(sum(redis_client.memory_usage(name, samples=0) for name in names)) / count

    redis_client.lpush("q", *(raw_message(10_000 + n, "q") for n in range(count)))
    waiting = bytes_each()
    assert len(peer.claim(count)) == count
    held = bytes_each()
    for message in peer.got.values():
        message.put_back(3600)
    peer.flush()
    parked = bytes_each()
    print(f"\nbytes a message of {len(raw)}: {waiting=:.0f} {held=:.0f} {parked=:.0f}")
    assert waiting < len(raw) + 100
    assert held < len(raw) + 600
    assert parked < len(raw) + 900


def test_priorities_and_prefix_are_kept(redis_client: Any, broker: EmbeddedBroker) -> None:
    options = {"global_keyprefix": "here:", "priority_steps": [0, 3, 6, 9]}
    got: list[str] = []
    with connect(broker.url, queue_order_strategy="priority", **options) as connection:
        for queue, priority in (("b", 0), ("a", 9), ("a", 6), ("a", 3), ("a", 0), ("a", 7)):
            name = f"{queue}{priority}"
            connection.Producer().publish(name, routing_key=queue, priority=priority)
        names = {key.decode() for key in redis_client.scan_iter()}
        assert names == {
            *("here:a", "here:b", "here:a\x06\x163", "here:a\x06\x166", "here:a\x06\x169"),
            *("here:a:notify", "here:b:notify", "here:dutiful:layout"),
        }
        channel = connection.channel()
        channel.basic_qos(0, 10, False)

        def receive(message: Any) -> None:
            got.append(message.payload)
            message.ack()

        for queue in "ab":
            channel.basic_consume(queue, False, receive, queue)
        while len(got) < 6:
            connection.drain_events(timeout=5)
        assert got == ["a0", "a3", "a6", "a7", "a9", "b0"]
    for owner in owners():
        if f" {broker.port} " in owner.broker:  # not what another file left of a dead server
            assert owner.close()
    assert list(redis_client.scan_iter()) == []


def test_full_queues_share_the_slots(redis_client: Any, broker: EmbeddedBroker) -> None:
    """Urgent first; nobody above its share; the slow queue moves all the same."""
    shares = {"urgent": 1.0, "fast": 0.8, "slow": 0.3, "relaxed": 0.1}
    running: list[Any] = []
    seen: dict[str, int] = dict.fromkeys(shares, 0)
    with connect(
        broker.url, queue_shares=shares, queue_order_strategy="priority", starved_seconds=0.2
    ) as connection:
        for queue in shares:
            publish(connection, queue, 500)
        channel = connection.channel()
        channel.basic_qos(0, 10, False)
        for queue in shares:
            channel.basic_consume(queue, False, running.append, queue)
        for _ in range(10):
            connection.drain_events(timeout=5)
        first = [message.delivery_info["routing_key"] for message in running]
        assert first == ["urgent"] * 10
        until = time.monotonic() + 4
        while time.monotonic() < until:
            for message in running:
                seen[message.delivery_info["routing_key"]] += 1
            counts = Counter(message.delivery_info["routing_key"] for message in running)
            assert all(counts[queue] <= max(1, 10 * share) for queue, share in shares.items())
            time.sleep(0.01)  # 400 at the most: no queue is empty before the end
            running.pop(0).ack()
            connection.drain_events(timeout=5)
        assert all(count > 0 for count in seen.values()), seen
        assert seen["urgent"] > seen["slow"]
        for message in running:
            message.requeue()


def test_without_urgent_work_each_queue_stays_within_its_share(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    with connect(broker.url, queue_shares={"slow": 0.3, "relaxed": 0.1}) as connection:
        for queue in ("slow", "relaxed"):
            publish(connection, queue, 30)
        channel = connection.channel()
        channel.basic_qos(0, 20, False)
        kept: list[Any] = []
        for queue in ("slow", "relaxed"):
            channel.basic_consume(queue, False, kept.append, queue)
        with contextlib.suppress(TimeoutError):
            while True:
                connection.drain_events(timeout=1.5)
        got = [message.delivery_info["routing_key"] for message in kept]
    assert (got.count("slow"), got.count("relaxed")) == (6, 2)
