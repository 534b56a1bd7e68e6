"""The transport against a model: any order of events loses nothing and hands nothing out twice.

Real scripts on a real server, several workers in this process. The events are those that stock
transports lose or double messages by.
"""

import os
import sys
import time

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.transport.redis.dead import DeadLetters
from dutiful.transport.redis.stock import Sweeper
from tests.support.transport import VISIBILITY_SECONDS
from tests.support.transport_faults import Faults
from tests.support.transport_stock import INDEX
from tests.support.transport_traffic import queues
from tests.support.transport_world import QUEUES


class Transport(Faults):
    """A stock worker among ours; and what must hold after every event."""

    @rule(queue=queues)
    def stock_claims(self, queue: str) -> None:
        claimed = self.world.stock.claim(queue)
        if claimed is None:
            return
        number, _, overwritten = claimed
        assert number in self.world.open
        assert number not in self.world.holder
        self.world.holder[number] = self.world.stock
        if overwritten is not None:
            self.world.stock.got.pop(overwritten, None)
            self.world.given_up(overwritten)

    @precondition(lambda self: self.world.stock.got)
    @rule(data=st.data())
    def stock_acks(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.world.stock.got)))
        self.world.stock.ack(number)
        self.world.stock_acked = True
        self.world.open.remove(number)
        del self.world.holder[number]

    @rule(ours=st.booleans())
    def the_stock_worker_dies_and_is_swept(self, ours: bool) -> None:
        """By another stock worker or by ours, by age; what has a living owner is left alone."""
        world = self.world
        for peer in world.peers:
            peer.refresh()
        old = {tag: time.time() - VISIBILITY_SECONDS - 10 for tag in world.stock.got.values()}
        if old:
            self.client.zadd(INDEX, old, xx=True)
        swept = set(world.stock.got)
        world.stock.got.clear()
        if ours:
            sweeper = Sweeper(self._peer(0).channel)
            sweeper._on_collect.cancel()
            sweeper.restore_visible(num=100, interval=1)
        else:
            assert set(world.stock.sweep()) <= swept
        for number in swept:
            del world.holder[number]

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if sys.exc_info()[0] is None:  # else it has failed already
                self._drain()
        finally:
            for peer in self.world.peers:
                if peer.channel is not None:
                    peer.vanish()
            self.client.close()

    def _drain(self) -> None:
        """All that is open can be had, once, and then nothing remains in Redis."""
        world = self.world
        for _ in range(2):
            self.a_lease_passes(0, False)
        self.the_stock_worker_dies_and_is_swept(True)
        for _ in range(len(world.peers)):
            self.a_clean_restart(0)
        while len(world.peers) > 1:
            world.peers.pop().leave()
        (last,) = world.peers
        for _ in range(200):
            world.all_due()
            numbers = last.claim()
            world.handed_out(last, numbers)
            for number in numbers:
                last.got.pop(number).ack()
                world.pending.setdefault(last.owner.id, []).append(("ack", number))
            last.flush()
            world.sent(last)
            if not world.open and not self.client.exists(*QUEUES, "dutiful:messages"):
                break
        assert not world.open
        last.leave()
        assert DeadLetters(self.client).count() == world.garbage + len(world.buried)
        remaining = {key.decode() for key in self.client.scan_iter()} - {
            "dutiful:dead_letters",
            "dutiful:layout",
        }
        if world.stock_acked:  # stock knows nothing of our counts; they expire
            remaining = {key for key in remaining if self.client.ttl(key) < 0}
        assert remaining == set(), remaining


@pytest.mark.timeout(300)
def test_any_order_of_events_loses_nothing_and_doubles_nothing(broker: EmbeddedBroker) -> None:
    Transport.url = broker.url
    run_state_machine_as_test(
        Transport,
        settings=hypothesis.settings(
            derandomize="CI" in os.environ,
            deadline=None,
            database=None,
            max_examples=60,
            stateful_step_count=40,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
