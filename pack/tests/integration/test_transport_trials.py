"""After a hearing: whose child died is on trial, one in the fleet; a worker's end is no verdict."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.transport import NewPeer, Peer, overdue
from tests.support.transport_lines import TRIALS, hears, suspects, vanishes, waiting

pytest_plugins = ["tests.support.transport_fixtures"]
DEATHS: dict[str, Callable[[Peer, Any, Peer], Any]] = {
    "vanished": vanishes,
    "left": lambda peer, *_: peer.leave(),
    "put it back": lambda peer, *_: (peer.got.pop(0).put_back(), peer.flush()),
    "forgot it in a blip": lambda peer, *_: peer.blip(set()),
}


@pytest.mark.parametrize("how", DEATHS)
@pytest.mark.parametrize("heard", [False, True])
def test_a_hearing_whose_worker_goes_is_given_by_another(
    redis_client: Any, new_peer: NewPeer, how: str, heard: bool
) -> None:
    """Nothing is held against the message but a crash beside others."""
    peer, other = new_peer("q", isolated_runs=True), new_peer("q", isolated_runs=True)
    suspects(redis_client, 0, heard=heard)
    assert peer.claim() == [0]
    assert peer.got[0].final_run == heard
    assert other.claim() == []
    DEATHS[how](peer, redis_client, other)
    assert other.claim() == [0]
    assert other.got[0].suspect
    assert other.got[0].final_run == heard


def test_whose_child_died_in_a_hearing_is_on_trial(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q", isolated_runs=True)
    suspects(redis_client, 0, 1)
    peer.claim()
    peer.got.pop(0).crashed("its child died")
    assert hears(peer) == [1]
    assert waiting(redis_client, TRIALS) == [0]
    suspects(redis_client, 2)
    peer.got.pop(1).ack()
    assert hears(peer) == [0], "before another has its hearing"
    assert peer.got[0].final_run
    assert peer.got[0].crashes == 3
    peer.got.pop(0).dead_letter("poison")
    assert hears(peer) == [2]
    ((_, letter),) = redis_client.xrange("dutiful:dead_letters")
    assert len(json.loads(letter[b"crashes"])) == 3


def test_one_is_on_trial_in_the_fleet_and_hearings_go_on(
    redis_client: Any, new_peer: NewPeer
) -> None:
    peer, other, third = (new_peer("q", isolated_runs=True) for _ in range(3))
    suspects(redis_client, 0, 1, 2, heard=True)
    suspects(redis_client, 3)
    assert hears(peer) == [0]
    assert hears(other) == [3]
    assert hears(third) == []
    suspects(redis_client, 4, heard=True)
    assert hears(third) == [], "in line, or come just now"
    assert waiting(redis_client, TRIALS) == [1, 2, 4]
    other.got.pop(3).ack()
    other.flush()
    assert hears(other) == []
    peer.got.pop(0).ack()
    peer.flush()
    assert hears(third) == [1]
    assert hears(peer) == []
    overdue(redis_client, third.owner)
    peer.reap()
    third.got.pop(1).ack()
    third.flush()
    assert redis_client.llen("q") == 1, "fenced off"
    assert hears(peer) == [2], "and it holds up nobody"


def test_what_two_more_workers_died_with_is_tried_alone(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """It takes its hearing's worker with it: then no two of its kind run at once."""
    other = new_peer("q", isolated_runs=True)
    suspects(redis_client, 0)
    for _ in range(2):
        peer = new_peer("q", isolated_runs=True)
        peer.claim()
        assert peer.got[0].suspect
        assert not peer.got[0].final_run
        vanishes(peer, redis_client, other)
    assert hears(other) == [0]
    assert other.got[0].final_run
    assert other.got[0].crashes == 4


def test_who_lost_its_lease_in_a_hearing_takes_no_other(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """The child runs on. All in line would come, and be given back, as fast as it can claim."""
    peer, other = new_peer("q", isolated_runs=True), new_peer("q", isolated_runs=True)
    suspects(redis_client, 0, 1, 2)
    peer.claim()
    peer.owner.isolates = True  # as its case says (dutiful/worker/quarantine/isolated_run.py)
    overdue(redis_client, peer.owner)
    other.reap()
    peer.keep()
    peer.channel.claimer.turn()
    assert peer.claim() == []
    assert hears(other)
    peer.owner.isolates = False
    assert len(peer.claim()) == 1


@pytest.mark.parametrize("older", ["the trial", "the hearing"])
def test_the_older_one_comes_first_of_both_lines(
    redis_client: Any, new_peer: NewPeer, older: str
) -> None:
    """A trial may be long: whose hearing is before it does not wait for its end."""
    peer, heard, unheard = new_peer("q", isolated_runs=True), 100, 100
    suspects(redis_client, 0)
    peer.claim()
    heard += older == "the trial"
    unheard += older == "the hearing"
    suspects(redis_client, 1, heard=True, enqueued_at=time.time() - heard)
    suspects(redis_client, 2, enqueued_at=time.time() - unheard)
    peer.claim()
    peer.got.pop(0).ack()
    peer.flush()
    assert hears(peer) == [1 if older == "the trial" else 2]
