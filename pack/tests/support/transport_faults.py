"""The model's bad events: blips, kills, frozen owners, a server that restarts, a revoke."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from dutiful.transport.redis import scripts
from tests.support.transport import Peer, overdue
from tests.support.transport_traffic import Traffic, which


class Faults(Traffic):
    """What goes wrong, at any time."""

    @rule(which=which, data=st.data())
    def blip(self, which: int, data: st.DataObject) -> None:
        """Celery keeps what its pool accepted and drops what was only prefetched."""
        peer = self._peer(which)
        accepted = data.draw(st.sets(st.sampled_from(sorted(peer.got)))) if peer.got else set()
        dropped = peer.blip(accepted)
        self.world.sent(peer)
        for number in dropped:
            self.world.holder.pop(number, None)  # a stock worker may have written over it

    @precondition(lambda self: len(self.world.peers) > 1)
    @rule(which=which)
    def vanish(self, which: int) -> None:
        """kill -9. What it had not sent is lost with it."""
        peer = self._peer(which)
        self.world.peers.remove(peer)
        self.world.dead.append(peer)
        self.world.pending.pop(peer.owner.id, None)
        self.world.zombies.pop(peer.owner.id, None)
        peer.vanish()

    @rule(which=which, frozen=st.booleans())
    def a_lease_passes(self, which: int, frozen: bool) -> None:
        """The dead are reaped, and one that was frozen meanwhile."""
        world = self.world
        reaper = self._peer(which)
        lapsed = list(world.dead)
        if frozen and len(world.peers) > 1:
            lapsed.append(self._peer(which + 1))
        world.a_lease_passes()
        overdue(self.client, *(peer.owner for peer in lapsed))
        if self.client.get("dutiful:run_id") == b"another":
            assert reaper.reap() == []  # the server was away, not they
            self.client.delete("dutiful:quiet")
        reaped = {owner.decode() for owner in reaper.reap()[::3]}
        assert reaped == {peer.owner.id for peer in lapsed}
        for peer in lapsed:
            world.released(peer, crashed=True)
            if peer in world.peers:
                world.zombies.setdefault(peer.owner.id, {}).update(peer.got)
                peer.got.clear()
        world.dead.clear()
        if frozen and lapsed and lapsed[-1] in world.peers:
            self._thaw(lapsed[-1])

    def _thaw(self, peer: Peer) -> None:
        """It still believes in what it holds; its word has no effect; then it learns of it."""
        for message in self.world.zombies[peer.owner.id].values():
            assert not message.acknowledged
        self.world.greeted(peer)
        peer.refresh()

    @rule(which=which, first=st.sampled_from(["reap", "refresh", "connect"]))
    def the_server_stands_still(self, which: int, first: str) -> None:
        """For longer than a lease: whoever speaks first, nobody alive is reaped."""
        everybody = [peer.owner for peer in (*self.world.peers, *self.world.dead)]
        overdue(self.client, *everybody)
        getattr(self._peer(which), first)()
        for peer in self.world.peers:
            assert peer.reap() == []
        for peer in self.world.peers:
            peer.refresh()

    @rule()
    def the_server_restarts(self) -> None:
        """Scripts are forgotten, run_id is another; its data is there."""
        self.client.script_flush()
        self.client.set("dutiful:run_id", "another")

    @rule(which=which)
    def a_clean_restart(self, which: int) -> None:
        peer = self._peer(which)
        peer.leave()
        self.world.sent(peer)
        self.world.released(peer, crashed=False)
        self.world.peers.remove(peer)
        self.world.zombies.pop(peer.owner.id, None)
        self._new_peer()

    @rule()
    def delays_are_over(self) -> None:
        self.world.all_due()

    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        if not self.world.open:
            return
        number = data.draw(st.sampled_from(sorted(self.world.open)))
        peer = self._peer(0)
        found = peer.channel.script_connection.run(
            scripts.REVOKE, peer.channel.keys.of_scripts, [str(number)]
        )
        if found:
            assert number not in self.world.holder
            self.world.open.remove(number)
