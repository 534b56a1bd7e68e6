"""Suspects wait in line: whoever ends a trial calls the next, and nobody waits for a clock."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from broker import scripts
from tests.support.transport import NewPeer, Peer, overdue, raw_message

pytest_plugins = ["tests.support.transport_fixtures"]
WAITING = "unacked:suspects"


def suspects(client: Any, *numbers: int, queue: str = "q") -> None:
    """Messages that two processes have died of."""
    for number in numbers:
        client.lpush(queue, raw_message(number, queue))
        evidence = {"one": "died", "two": "died"}
        client.hset(f"unacked:crashes:tag-{number}", mapping=evidence)


def waiting(client: Any) -> set[str]:
    """Tags in line; each is parked too, where a stock fleet finds it."""
    tags = {tag.decode() for tag in client.zrange(WAITING, 0, -1)}
    assert tags == {tag.decode() for tag in client.zrange("unacked:parked", 0, -1)}
    assert tags == {tag.decode() for tag in client.hkeys("unacked:parked_at")}
    assert all(client.hexists("unacked", tag) for tag in tags)
    return tags


def reaped(peer: Peer, client: Any, other: Peer) -> None:
    peer.vanish()
    overdue(client, peer.owner)
    other.reap()


ENDS: dict[str, Callable[[Peer, Any, Peer], Any]] = {
    "acquitted": lambda peer, *_: (peer.got[1].ack(), peer.flush()),
    "put back": lambda peer, *_: (peer.got[1].put_back(), peer.flush()),
    "put back for later": lambda peer, *_: (peer.got[1].put_back(3600), peer.flush()),
    "crashed": lambda peer, *_: (peer.got[1].crashed("again"), peer.flush()),
    "convicted": lambda peer, *_: (peer.got[1].dead_letter("poison"), peer.flush()),
    "its worker vanished": reaped,
    "its worker left": lambda peer, *_: peer.leave(),
    "forgotten in a blip": lambda peer, *_: (peer.claim_and_lose_the_reply(), peer.blip(set())),
}


@pytest.mark.parametrize("how", ENDS)
def test_whoever_ends_a_trial_calls_the_next(
    redis_client: Any, new_peer: NewPeer, how: str
) -> None:
    peer, other = new_peer("q", trials=True), new_peer("q", trials=True)
    suspects(redis_client, 1, 2, 3)
    assert peer.claim() == [1]
    assert peer.got[1].on_trial
    assert waiting(redis_client) == {"tag-2", "tag-3"}
    assert redis_client.zrange(WAITING, 0, -1) == [b"tag-2", b"tag-3"]
    assert not redis_client.exists("q:bell")
    ENDS[how](peer, redis_client, other)
    assert redis_client.exists("q:bell"), "who sleeps is woken"
    (number,) = other.claim()
    if how in ("crashed", "its worker left", "its worker vanished", "put back"):
        assert number in (1, 2)  # both at the head: the one that was put back, and the next
    else:
        assert number == 2
    assert other.got[number].on_trial
    assert not redis_client.lrange("q", 0, -1)


def test_a_line_of_suspects_is_tried_one_at_a_time_and_leaves_nothing(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peers = [new_peer("q", "r", trials=True) for _ in range(2)]
    suspects(redis_client, *range(10))
    suspects(redis_client, *range(10, 20), queue="r")
    redis_client.lpush("r", raw_message(20, "r"))
    order: list[int] = []
    for turn in range(60):
        peer = peers[turn % 2]
        for number in peer.claim():
            message = peer.got.pop(number)
            assert message.on_trial == (number != 20)
            message.ack()
            order.append(number)
        peer.flush()
    assert sorted(order) == list(range(21))
    for peer in peers:
        peer.leave()
    assert list(redis_client.scan_iter()) == []


def test_a_call_that_nobody_takes_does_not_end_the_line(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """The next suspect is of a queue whose workers are gone."""
    here, there = new_peer("q", trials=True), new_peer("r", trials=True)
    suspects(redis_client, 1)
    here.claim()
    suspects(redis_client, 2, queue="r")
    there.claim()
    suspects(redis_client, 3)
    here.claim()
    there.leave()
    here.got.pop(1).ack()
    here.flush()
    assert redis_client.llen("r") == 1
    assert waiting(redis_client) == {"tag-3"}
    here.refresh()
    assert here.claim() == [3]


def test_a_trial_that_a_stock_worker_took_holds_up_nobody(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peer = new_peer("q", trials=True)
    suspects(redis_client, 1, 2)
    peer.claim()
    redis_client.zadd("unacked_index", {"tag-1": 1})  # it claimed the same tag
    peer.got[1].ack()
    peer.flush()
    assert redis_client.hexists("unacked", "tag-1"), "fenced off"
    peer.refresh()
    assert peer.claim() == [2]
    assert peer.got[2].on_trial


def test_one_that_is_revoked_while_it_waits_is_gone(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q", trials=True)
    suspects(redis_client, 1, 2)
    peer.claim()
    found = peer.channel.line.run(scripts.REVOKE, peer.channel.script_keys, ["2"])
    assert [json.loads(each)[0]["headers"]["id"] for each in found] == ["2"]
    assert not waiting(redis_client)
    peer.got[1].ack()
    peer.leave()
    assert list(redis_client.scan_iter()) == []


def test_one_that_nobody_calls_comes_by_itself(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q", trials=True, suspect_wait_seconds=0.001)
    suspects(redis_client, 1, 2)
    peer.claim()
    redis_client.delete("unacked:trial", WAITING)
    time.sleep(0.05)
    assert peer.claim() == [2]
