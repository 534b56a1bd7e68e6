"""What a claim hands out, and what it never does: each by the real scripts on a real server."""

import contextlib
import json
import time
from typing import Any
from unittest import mock

import pytest
from kombu import Exchange, Queue

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import wait_for
from dutiful.transport.redis.dead import DeadLetters
from tests.support.transport import NewPeer, connect, overdue, raw_message

pytest_plugins = ["tests.support.transport_fixtures"]


def test_without_acks_one_message_leaves_the_queue_at_a_time(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(3000)))
    with connect(broker.url) as connection:
        queue = connection.SimpleQueue("q", no_ack=True)
        assert queue.get(timeout=5).headers["id"] == "0"
        assert redis_client.llen("q") == 2999


def test_basic_get_takes_one_whatever_the_prefetch_and_gives_it_back(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(3)))
    with connect(broker.url) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 2, False)
        got = [channel.basic_get("q") for _ in range(3)]
        assert [message.headers["id"] for message in got] == ["0", "1", "2"]
        got[0].ack()
    got.clear()
    wait_for("what nobody settled is back", lambda: redis_client.llen("q") == 2)


def test_two_consumers_of_one_process_each_have_their_prefetch(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(3)))
    got: list[tuple[str, Any]] = []
    with connect(broker.url) as first, connect(broker.url) as second:
        for name, connection in (("a", first), ("b", second)):
            channel = connection.channel()
            channel.basic_qos(0, 1, False)
            channel.basic_consume(
                "q", False, lambda message, name=name: got.append((name, message)), name
            )
            connection.drain_events(timeout=5)
            with pytest.raises(TimeoutError):
                connection.drain_events(timeout=0.5)
        assert {name for name, _ in got} == {"a", "b"}


def test_a_queue_that_is_cancelled_gets_its_messages_back(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(3)))
    got: list[Any] = []
    with connect(broker.url) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 10, False)
        channel.basic_consume("q", False, got.append, "c")
        connection.drain_events(timeout=5)
        channel.basic_cancel("c")
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=1)
        wait_for("those it had not handed out", lambda: redis_client.llen("q") == 2)
        assert len(got) == 1


def test_what_a_claim_brings_for_a_queue_cancelled_meanwhile_goes_back(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peer = new_peer("q", "r")
    peer.channel.connection.cycle.loop = mock.Mock()  # its claims are answered later
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(3)))
    redis_client.lpush("r", raw_message(3, "r"))
    peer.channel.capacity.look_again()
    peer.channel.claimer.turn()
    assert peer.channel.claimer.pipeline.busy
    peer.channel.basic_cancel(f"{peer.name}-q")
    assert peer.channel.claimer.arrive()
    assert list(peer.got) == [3]
    peer.flush()
    back = [json.loads(raw) for raw in redis_client.lrange("q", 0, -1)]
    assert [each["headers"]["id"] for each in back] == ["2", "1", "0"]
    assert redis_client.hlen("dutiful:messages") == peer.owner.size == 1
    peer.channel.basic_consume("q", False, peer._receive, f"{peer.name}-q")
    assert sorted(peer.claim()) == [0, 1, 2]
    assert {message.crashes for message in peer.got.values()} == {0}


def test_without_acks_what_a_cancelled_queue_has_not_handed_out_goes_back(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    got: list[Any] = []
    with connect(broker.url) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 10, False)
        for queue in "qr":
            redis_client.lpush(queue, raw_message(1, queue))
            channel.basic_consume(queue, True, got.append, queue)
        connection.drain_events(timeout=5)
        assert redis_client.exists("q", "r") == 0  # one claim took both
        (first,) = got
        other = "r" if first.delivery_info["routing_key"] == "q" else "q"
        channel.basic_cancel(other)
        assert redis_client.llen(other) == 1
        channel.basic_consume(other, True, got.append, other)
        connection.drain_events(timeout=5)
    assert [message.headers["id"] for message in got] == ["1", "1"]


def test_a_lost_reply_is_made_good_on_the_same_channel(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """Plain kombu may go on with its channel after an error."""
    peer = new_peer("q")
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(3)))
    peer.claim_and_lose_the_reply()
    assert redis_client.llen("q") == 0
    peer.claim()
    assert sorted(peer.got) == [0, 1, 2]


@pytest.mark.parametrize("tag", ["same", "säme", 'sa"me', "x" * 512])
def test_one_tag_in_two_queues_is_two_messages(
    redis_client: Any, new_peer: NewPeer, tag: str
) -> None:
    peer = new_peer("q", "r")
    redis_client.lpush("q", raw_message(1, "q", tag))
    redis_client.lpush("r", raw_message(2, "r", tag))
    peer.claim()
    assert sorted(peer.got) == [1, 2]
    peer.got[1].ack()
    peer.flush()
    assert redis_client.hlen("dutiful:messages") == 1
    peer.got[2].ack()
    peer.flush()
    assert redis_client.hlen("dutiful:messages") == 0


def test_an_eta_for_two_queues_is_parked_twice(redis_client: Any, broker: EmbeddedBroker) -> None:
    """One publish to an exchange with two queues: kombu gives both copies one tag."""
    exchange = Exchange("both", type="direct")
    due = time.time() + 2  # in whole seconds: one at the least
    with connect(broker.url) as connection:
        queues = [Queue(name, exchange, routing_key="k") for name in "qr"]
        producer = connection.Producer()
        eta = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(due)) + "+00:00"
        producer.publish(
            {}, exchange=exchange, routing_key="k", declare=queues, headers={"id": "1", "eta": eta}
        )
        assert redis_client.zcard("dutiful:parked") == 2
        for queue in queues:
            connection.SimpleQueue(queue).get(timeout=5).ack()
    wait_for(
        "nothing remains", lambda: not redis_client.exists("dutiful:messages", "dutiful:parked_ids")
    )


def test_a_frozen_server_costs_nobody_alive_whoever_speaks_first(
    redis_client: Any, new_peer: NewPeer
) -> None:
    for first in ("reap", "refresh", "connect"):
        redis_client.flushall()
        peers = [new_peer("q") for _ in range(3)]
        redis_client.lpush("q", raw_message(1, "q"))
        peers[1].claim()
        overdue(redis_client, *(peer.owner for peer in peers))
        getattr(peers[0], first)()
        for peer in (peers[0], peers[2]):
            peer.reap()
        assert redis_client.exists(f"dutiful:owner:{peers[1].owner.id}"), first
        peers[1].got[1].ack()
        peers[1].flush()
        assert not redis_client.exists("q", "dutiful:messages"), first


def test_a_worker_that_is_dead_is_reaped_after_the_freeze(
    redis_client: Any, new_peer: NewPeer
) -> None:
    alive, dead = new_peer("q"), new_peer("q")
    redis_client.lpush("q", raw_message(1, "q"))
    dead.claim()
    overdue(redis_client, alive.owner, dead.owner)
    alive.refresh()
    assert redis_client.llen("q") == 0
    redis_client.delete("dutiful:quiet")  # a lease later
    alive.refresh()
    assert redis_client.llen("q") == 1


def test_a_foreign_entry_in_unacked_does_not_end_the_lease(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    """Stock's sweep stumbles over it; our heartbeat must go on, and so must the other entries."""
    redis_client.zadd("unacked_index", {"bad": 1, "good": 2})
    redis_client.hset(
        "unacked", mapping={"bad": b"\xff{", "good": b"[" + raw_message(1, "q") + b', "", "q"]'}
    )
    with connect(broker.url, lease_seconds=1, visibility_timeout=1) as connection:
        channel = connection.channel()
        got: list[Any] = []
        channel.basic_consume("q", False, got.append, "c")
        owner = channel.owner

        def arrived() -> bool:
            with contextlib.suppress(TimeoutError):
                connection.drain_events(timeout=0.1)
            return bool(got)

        wait_for("the good one", arrived, 20)
        assert owner.heartbeat.thread.is_alive()
        got[0].ack()
    letters = DeadLetters(redis_client)
    wait_for("the bad one is a dead letter", lambda: letters.count() == 1)
    assert letters.entries()[0].raw == b"\xff{"
