"""The map of what a process holds, and its counts by queue."""

import weakref
from typing import Any

from dutiful.transport.redis.owner import Held, Owner


class Channel:
    """Stands for the one that a message came by."""


def test_what_is_claimed_again_while_it_is_held_counts_once() -> None:
    """After a freeze past the lease: its first run goes on, and it is claimed anew."""
    owner, channel = Owner("test"), Channel()
    reference: weakref.ref[Any] = weakref.ref(channel)
    for queue in ("q", "q", "r"):  # rerouted meanwhile
        owner.add(Held("tag", queue, reference))
        assert (owner.size, owner.counts.total(), owner.counts[queue]) == (1, 1, 1)
    for _ in range(2):  # both runs end
        owner.settle("ack", "tag")
        owner.take()
        assert (owner.size, +owner.counts) == (0, {})
        assert owner.counts["q"] == owner.counts["r"] == 0
