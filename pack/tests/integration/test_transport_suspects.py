"""Suspects in line: each worker has one isolated run at a time, the oldest first."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from dutiful.transport.redis import scripts
from tests.support.transport import NewPeer, raw_message
from tests.support.transport_lines import FINALISTS, SUSPECTS, isolated_of, suspects, waiting

pytest_plugins = ["tests.support.transport_fixtures"]
ENDS: dict[str, Callable[[Any], Any]] = {
    "it ran": lambda message: message.ack(),
    "put back for later": lambda message: message.put_back(3600),
    "it is poison": lambda message: message.dead_letter("poison"),
}


@pytest.mark.parametrize("how", ENDS)
def test_each_worker_has_one_isolated_run_and_then_the_next(
    redis_client: Any, new_peer: NewPeer, how: str
) -> None:
    peer, other = new_peer("q", isolated_runs=True), new_peer("q", isolated_runs=True)
    redis_client.lpush("q", raw_message(9, "q"))
    peer.claim()
    peer.got.pop(9).ack()
    peer.flush()  # the server knows the scripts from here on
    suspects(redis_client, *range(6))
    assert peer.claim() == [0]
    assert peer.got[0].suspect
    assert not peer.got[0].final_run
    assert waiting(redis_client) == [1, 2, 3, 4, 5]
    assert peer.claim() == []
    assert other.claim() == [1]
    ENDS[how](peer.got.pop(0))
    peer.channel.capacity._may_have_messages["q"] = False  # an empty queue, as far as it knows
    peer.channel.claimer.turn()
    if peer.channel.claimer.pipeline.awaits_reply:
        peer.channel.claimer.arrive()
    assert [*peer.got] == [2], "with the packet that settles the one before"
    assert waiting(redis_client) == [3, 4, 5]


def test_a_line_runs_once_each_and_leaves_nothing(redis_client: Any, new_peer: NewPeer) -> None:
    peers = [new_peer("q", "r", isolated_runs=True) for _ in range(2)]
    suspects(redis_client, *range(10))
    suspects(redis_client, *range(10, 20), queue="r")
    suspects(redis_client, *range(20, 25), queue="r", final=True)
    redis_client.lpush("r", raw_message(25, "r"))
    order: list[int] = []
    for turn in range(60):
        peer = peers[turn % 2]
        found = peer.claim()
        assert sum(peer.got[number].suspect for number in found) <= 1
        for number in found:
            message = peer.got.pop(number)
            assert message.suspect == (number != 25)
            assert message.final_run == (20 <= number < 25)
            message.ack()
            order.append(number)
        peer.flush()
    assert sorted(order) == list(range(26))
    for peer in peers:
        peer.leave()
    assert list(redis_client.scan_iter()) == []


def test_the_oldest_comes_first_and_one_that_is_looked_at_keeps_its_place(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peer = new_peer("q", isolated_runs=True, suspect_wait_seconds=0.001)
    suspects(redis_client, 0)
    for number, age in [(1, 10), (2, 30), (3, 20), (4, 40)]:
        suspects(redis_client, number, enqueued_at=time.time() - age)
    isolated_of(peer)
    for _ in range(3):  # due each time, and in line again
        time.sleep(0.01)
        assert peer.claim() == []
        assert waiting(redis_client) == [4, 2, 3, 1]
    other = new_peer("q", isolated_runs=True)
    time.sleep(0.01)
    (any_of_them,) = isolated_of(other)  # all were due at once
    line = [number for number in (4, 2, 3, 1) if number != any_of_them]
    assert waiting(redis_client) == line
    other.got.pop(any_of_them).ack()
    assert isolated_of(other) == line[:1]


def test_those_without_an_age_keep_their_order(redis_client: Any, new_peer: NewPeer) -> None:
    suspects(redis_client, *range(20, 0, -1))
    new_peer("q", isolated_runs=True).claim()
    assert waiting(redis_client) == list(range(19, 0, -1))


@pytest.mark.parametrize("sent", ["nan", "1e999", "{}", "-5", '"now"', "null", "9e99", "true"])
def test_any_age_can_stand_in_line(redis_client: Any, new_peer: NewPeer, sent: str) -> None:
    peer = new_peer("q", isolated_runs=True)
    suspects(redis_client, 0)
    raw = raw_message(1, "q", headers={"enqueued_at": "SENT"}).replace(b'"SENT"', sent.encode())
    redis_client.lpush("q", raw)
    redis_client.hset("dutiful:crashes:tag-1", mapping={"one": 1, "two": 2})
    redis_client.lpush("q", raw_message(2, "q"))
    assert peer.claim() == [0, 2]
    assert waiting(redis_client) == [1]


def test_a_busy_queue_hides_no_other(redis_client: Any, new_peer: NewPeer) -> None:
    """Its claims are no look at the rest: each poll is of all queues."""
    for number in range(2):  # one with an event loop, one without
        peer = new_peer("q", "r", isolated_runs=True, poll_seconds=0.2)
        peer.claim()
        suspects(redis_client, number)  # nobody notifies
        deadline = time.monotonic() + 5
        while not peer.got and time.monotonic() < deadline:
            time.sleep(0.02)
            peer.channel.capacity.look_again("r")  # it was notified of
            peer.channel.claimer.turn()
            if peer.channel.claimer.pipeline.awaits_reply:
                peer.channel.claimer.arrive()
        assert [*peer.got] == [number]


def test_one_that_is_due_comes_before_the_backlog(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q", isolated_runs=True, suspect_wait_seconds=0.001)
    suspects(redis_client, 0, 1)
    peer.claim()
    for number in range(10, 15):
        redis_client.lpush("q", raw_message(number, "q"))
    time.sleep(0.01)
    assert new_peer("q", isolated_runs=True).claim(1) == [1]


def test_a_suspect_whose_turn_it_is_comes_before_more_urgent_messages(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """Else each claim would take another one out of its line, to lie behind a backlog."""
    peer, other = (new_peer("r", "q", isolated_runs=True) for _ in range(2))
    suspects(redis_client, *range(5))
    peer.claim()
    for number in range(10, 15):
        redis_client.lpush("r", raw_message(number, "r"))
    assert other.claim(1) == [1]
    assert other.claim(1) == [10]
    assert waiting(redis_client) == [2, 3, 4]


def test_suspects_whose_workers_are_gone_are_passed(redis_client: Any, new_peer: NewPeer) -> None:
    here, there = new_peer("q", isolated_runs=True), new_peer("r", isolated_runs=True)
    suspects(redis_client, *range(10), queue="r")
    there.claim()
    assert waiting(redis_client) == list(range(1, 10))
    there.leave()
    suspects(redis_client, 20, 21)
    assert isolated_of(here) == [20]
    here.got.pop(20).ack()
    assert isolated_of(here) == [21]
    assert isolated_of(new_peer("r", isolated_runs=True))


def test_one_that_is_revoked_while_it_waits_is_gone(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q", isolated_runs=True)
    suspects(redis_client, 1, 2)
    suspects(redis_client, 3, final=True)
    peer.claim()
    found = peer.channel.script_connection.run(
        scripts.REVOKE, peer.channel.keys.of_scripts, ["2", "3"]
    )
    assert [json.loads(each)["headers"]["id"] for each in found] == ["2", "3"]
    assert not waiting(redis_client)
    assert not waiting(redis_client, FINALISTS)
    peer.got[1].ack()
    peer.leave()
    assert list(redis_client.scan_iter()) == []


def test_a_suspect_that_no_worker_took_is_offered_again(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peer = new_peer("q", isolated_runs=True, suspect_wait_seconds=0.001)
    suspects(redis_client, 1, 2)
    peer.claim()
    peer.got.pop(1).ack()
    peer.flush()
    redis_client.delete(SUSPECTS)
    time.sleep(0.05)
    assert isolated_of(peer) == [2]
