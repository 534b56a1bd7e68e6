"""After an isolated run: the final one, one in the fleet; a worker's end proves nothing."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.transport import NewPeer, Peer, overdue
from tests.support.transport_lines import FINALISTS, isolated_of, suspects, vanishes, waiting

pytest_plugins = ["tests.support.transport_fixtures"]
DEATHS: dict[str, Callable[[Peer, Any, Peer], Any]] = {
    "vanished": vanishes,
    "left": lambda peer, *_: peer.leave(),
    "put it back": lambda peer, *_: (peer.got.pop(0).put_back(), peer.flush()),
    "forgot it in a blip": lambda peer, *_: peer.blip(set()),
}


@pytest.mark.parametrize("how", DEATHS)
@pytest.mark.parametrize("final", [False, True])
def test_an_isolated_run_whose_worker_goes_is_had_by_another(
    redis_client: Any, new_peer: NewPeer, how: str, final: bool
) -> None:
    """Nothing is held against the message but a crash beside others."""
    peer, other = new_peer("q", isolated_runs=True), new_peer("q", isolated_runs=True)
    suspects(redis_client, 0, final=final)
    assert peer.claim() == [0]
    assert peer.got[0].final_run == final
    assert other.claim() == []
    DEATHS[how](peer, redis_client, other)
    assert other.claim() == [0]
    assert other.got[0].suspect
    assert other.got[0].final_run == final


def test_a_suspect_whose_child_died_has_its_final_run_next(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peer = new_peer("q", isolated_runs=True)
    suspects(redis_client, 0, 1)
    peer.claim()
    peer.got.pop(0).crashed("its child died")
    assert isolated_of(peer) == [1]
    assert waiting(redis_client, FINALISTS) == [0]
    suspects(redis_client, 2)
    peer.got.pop(1).ack()
    assert isolated_of(peer) == [0], "before another has its isolated run"
    assert peer.got[0].final_run
    assert peer.got[0].crashes == 3
    peer.got.pop(0).dead_letter("poison")
    assert isolated_of(peer) == [2]
    ((_, letter),) = redis_client.xrange("dutiful:dead_letters")
    assert len(json.loads(letter[b"crashes"])) == 3


def test_one_final_run_in_the_fleet_and_isolated_runs_go_on(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peer, other, third = (new_peer("q", isolated_runs=True) for _ in range(3))
    suspects(redis_client, 0, 1, 2, final=True)
    suspects(redis_client, 3)
    assert isolated_of(peer) == [0]
    assert isolated_of(other) == [3]
    assert isolated_of(third) == []
    suspects(redis_client, 4, final=True)
    assert isolated_of(third) == [], "in line, or just published"
    assert waiting(redis_client, FINALISTS) == [1, 2, 4]
    other.got.pop(3).ack()
    other.flush()
    assert isolated_of(other) == []
    peer.got.pop(0).ack()
    peer.flush()
    assert isolated_of(third) == [1]
    assert isolated_of(peer) == []
    overdue(redis_client, third.owner)
    peer.reap()
    third.got.pop(1).ack()
    third.flush()
    assert redis_client.llen("q") == 1, "fenced off"
    assert isolated_of(peer) == [2], "and it holds up nobody"


def test_a_suspect_that_two_more_workers_died_with_has_a_final_run(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """It takes its worker with it: then no two of its kind run at once."""
    other = new_peer("q", isolated_runs=True)
    suspects(redis_client, 0)
    for _ in range(2):
        peer = new_peer("q", isolated_runs=True)
        peer.claim()
        assert peer.got[0].suspect
        assert not peer.got[0].final_run
        vanishes(peer, redis_client, other)
    assert isolated_of(other) == [0]
    assert other.got[0].final_run
    assert other.got[0].crashes == 4


def test_a_worker_that_lost_its_lease_in_an_isolated_run_takes_no_other(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """The child runs on. All in line would come, and be given back, as fast as it can claim."""
    peer, other = new_peer("q", isolated_runs=True), new_peer("q", isolated_runs=True)
    suspects(redis_client, 0, 1, 2)
    peer.claim()
    peer.owner.isolates = True  # as the worker's quarantine sets it
    overdue(redis_client, peer.owner)
    other.reap()
    peer.keep()
    peer.channel.claimer.turn()
    assert peer.claim() == []
    assert isolated_of(other)
    peer.owner.isolates = False
    assert len(peer.claim()) == 1


@pytest.mark.parametrize("older", ["the final one", "the first one"])
def test_the_older_one_comes_first_of_both_lines(
    redis_client: Any, new_peer: NewPeer, older: str
) -> None:
    """A final run may be long: an older first one does not wait for its end."""
    peer, final, first = new_peer("q", isolated_runs=True), 100, 100
    suspects(redis_client, 0)
    peer.claim()
    final += older == "the final one"
    first += older == "the first one"
    suspects(redis_client, 1, final=True, enqueued_at=time.time() - final)
    suspects(redis_client, 2, enqueued_at=time.time() - first)
    peer.claim()
    peer.got.pop(0).ack()
    peer.flush()
    assert isolated_of(peer) == [1 if older == "the final one" else 2]
