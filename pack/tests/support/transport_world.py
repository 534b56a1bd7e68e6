"""The model beside the server: where each message must be, and a check that it is there."""

from collections import Counter
from typing import Any, Final

from tests.support.transport import MESSAGES, QUIET, Peer, raw_message
from tests.support.transport_stock import UNACKED, StockPeer, number_of

QUEUES: Final = ("q", "r")
SUSPECTS, FINALISTS = "dutiful:suspects", "dutiful:suspects:final"
LATER: Final = "2099-01-01T00:00:00+00:00"
PAST: Final = "2001-01-01T00:00:00+00:00"


class World:
    """What is known of each message, by its number."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.stock = StockPeer(client)
        self.peers: list[Peer] = []
        self.dead: list[Peer] = []
        self.open: set[int] = set()
        """Published, and neither acknowledged nor buried nor revoked."""
        self.holder: dict[int, Any] = {}
        self.shared_tag: set[int] = set()
        self.uncounted: set[int] = set()
        """Their crashes are not compared: a copy's tag, or held a moment before it is parked."""
        self.crashes: dict[int, set[str]] = {}
        self.delayed: set[int] = set()
        self.buried: set[int] = set()
        self.garbage = 0
        self.pending: dict[str, list[tuple[str, int]]] = {}
        """By owner: what was said and not yet sent."""
        self.zombies: dict[str, dict[int, Any]] = {}
        """By owner: what runs on though another has it by now."""
        self.stock_acked = False
        self.count = 0

    def number(self, shared: bool = False, delayed: bool = False) -> int:
        self.count += 1
        self.open.add(self.count)
        self.crashes[self.count] = set()
        if shared:
            self.shared_tag.add(self.count)
            self.uncounted.add(self.count)
        if delayed:
            self.delayed.add(self.count)
        return self.count

    def raw(self, number: int, queue: str) -> bytes:
        tag = "shared" if number in self.shared_tag else None
        headers = {"eta": LATER} if number in self.delayed else None
        return raw_message(number, queue, tag, headers)

    def sent(self, peer: Peer) -> None:
        """The server has final what this peer had to say. Who lost the message has no say."""
        for what, number in self.pending.pop(peer.owner.id, []):
            if what == "nothing" or self.holder.get(number) is not peer:
                continue
            del self.holder[number]
            if what in ("ack", "dead"):
                self.open.discard(number)
            if what == "dead":
                self.buried.add(number)
            if what == "crash":
                self.crashes[number].add(f"{peer.owner.id}/child")
            if what == "isolated":
                self.crashes[number].add("isolated")

    def handed_out(self, peer: Peer, numbers: list[int]) -> None:
        for number in numbers:
            message = peer.got[number]
            assert number in self.open, f"{number} was settled and is handed out again"
            assert number not in self.holder, f"{number} is held and is handed out again"
            assert number not in self.delayed, f"{number} is not due"
            if number not in self.uncounted:
                assert message.crashes == len(self.crashes[number]), number
                assert message.suspect == (message.crashes >= 2), number
                final_run = message.crashes >= 4 or "isolated" in self.crashes[number]
                assert message.final_run == (message.suspect and final_run), number
            self.holder[number] = peer

    def released(self, peer: Peer, crashed: bool) -> list[int]:
        """All that it held is another's to take."""
        numbers = [number for number, holder in self.holder.items() if holder is peer]
        for number in numbers:
            del self.holder[number]
            if crashed:
                self.crashes[number].add(peer.owner.id)
        return numbers

    def greeted(self, peer: Peer) -> None:
        """One that was given up is back: its counts are taken back where it still runs them."""
        for number in [*self.zombies.get(peer.owner.id, {}), *peer.got]:
            self.crashes[number].discard(peer.owner.id)
        for _, number in self.pending.get(peer.owner.id, []):
            self.crashes[number].discard(peer.owner.id)

    def given_up(self, number: int) -> None:
        """A stock worker wrote over it, as it does among its own: nothing is promised for it."""
        self.open.discard(number)
        self.holder.pop(number, None)
        self.buried.discard(number)

    def all_due(self) -> None:
        """Time passes for delays."""
        client = self.client
        for queue in QUEUES:
            for i, raw in enumerate(client.lrange(queue, 0, -1)):
                client.lset(queue, i, raw.replace(LATER.encode(), PAST.encode()))
        for key in (UNACKED, MESSAGES):
            for tag, stored in client.hgetall(key).items():
                client.hset(key, tag, stored.replace(LATER.encode(), PAST.encode()))
        for tag in client.zrange("dutiful:parked", 0, -1):
            client.zadd("dutiful:parked", {tag: 1})
        self.delayed.clear()

    def a_lease_passes(self) -> None:
        for peer in self.peers:
            peer.refresh()
        self.client.delete(QUIET)

    def check(self) -> None:
        """Each open message is in exactly one place; what is held is noted under its holder."""
        found: Counter[int | None] = Counter()
        waiting = set()
        for queue in QUEUES:
            for raw in self.client.lrange(queue, 0, -1):
                number = number_of(raw)
                waiting.add(number)
                found[number] += 1
        stored = self.client.hgetall(MESSAGES)
        for values in (stored.values(), self.client.hvals(UNACKED)):
            found.update(number_of(value) for value in values)
        del found[None]  # garbage: counted when it is buried
        assert found == Counter(self.open), "lost, doubled, or still there"
        for number, holder in self.holder.items():
            assert number not in waiting, f"{number} is held and waits"
            if isinstance(holder, Peer):
                tags = self.client.hkeys(f"dutiful:held:{holder.owner.id}")
                numbers = {number_of(stored[tag]) for tag in tags if tag in stored}
                assert number in numbers, f"{number} is not noted under its holder"
        self._check_isolated_runs()

    def _check_isolated_runs(self) -> None:
        """One isolated run a peer, one final run in all; each that waits is parked too."""
        each = [peer for peer in self.peers for number in self.isolated_runs(peer)]
        assert len(each) == len(set(map(id, each))), "two isolated runs at once"
        finals = [
            n for peer in self.peers for n in self.isolated_runs(peer) if peer.got[n].final_run
        ]
        assert len(finals) <= 1, f"{finals} have final runs at once"
        line = {*self.client.zrange(SUSPECTS, 0, -1), *self.client.zrange(FINALISTS, 0, -1)}
        assert line <= set(self.client.zrange("dutiful:parked", 0, -1)), "lost in line"

    def isolated_runs(self, peer: Peer) -> list[int]:
        """The suspects that it holds."""
        held = [number for number, holder in self.holder.items() if holder is peer]
        return [n for n in held if n in peer.got and peer.got[n].suspect]

    def may_isolate(self, peer: Peer) -> bool:
        """Whether it must take a suspect: it has none, and nothing else takes capacity."""
        if self.isolated_runs(peer) or self.client.exists(*QUEUES):
            return False
        return bool(self.client.exists(SUSPECTS))
