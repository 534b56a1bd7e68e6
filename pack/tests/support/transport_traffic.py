"""The model's everyday events: producers, ours and stock's, and workers that claim and settle."""

import json
from typing import Any

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support.transport import Peer
from tests.support.transport_world import QUEUES, World

queues = st.sampled_from(QUEUES)
which = st.integers(0, 7)
GARBAGE = (
    b"\xff\xfe\x00",
    b"{}",
    b"[" * 3000,
    b'{"properties": {"delivery_tag": ""}}',
    b'{"properties": {"delivery_tag": 7}, "body": null}',
    b'{"properties": {"delivery_tag": "TAG", "delivery_info": 3}, "headers": 1}',
    b'{"properties": {"delivery_tag": "TAG", "delivery_info": {}, "body_encoding": []}, "body": 1}',
    b'{"properties": {"delivery_tag": "TAG", "x": "\xc3\x28"}, "body": ""}',
)


class Traffic(RuleBasedStateMachine):
    """Messages are published, claimed and settled."""

    url = ""
    world: World

    @initialize()
    def begin(self) -> None:
        self.client: Any = redis.Redis.from_url(self.url)
        self.client.flushall()
        self.world = World(self.client)
        for _ in range(3):
            self._new_peer()

    def _new_peer(self) -> Peer:
        peer = Peer(self.url, list(QUEUES), isolated_runs=True)
        self.world.peers.append(peer)
        return peer

    def _peer(self, which: int) -> Peer:
        return self.world.peers[which % len(self.world.peers)]

    # Producers: ours, and stock's plain push.

    @rule(queue=queues, how_many=st.integers(1, 4))
    def publish(self, queue: str, how_many: int) -> None:
        for _ in range(how_many):
            self._publish(queue, self.world.number())

    @rule(queue=queues, stock=st.booleans(), shared=st.booleans(), delayed=st.booleans())
    def publish_one(self, queue: str, stock: bool, shared: bool, delayed: bool) -> None:
        self._publish(queue, self.world.number(shared, delayed), stock)

    def _publish(self, queue: str, number: int, stock: bool = False) -> None:
        raw = self.world.raw(number, queue)
        if stock:
            self.client.lpush(queue, raw)
            if number in self.world.delayed:
                self.world.uncounted.add(number)
        else:
            self._peer(0).channel._put(queue, json.loads(raw))

    @rule(queue=queues, which=st.integers(0, len(GARBAGE) - 1))
    def publish_garbage(self, queue: str, which: int) -> None:
        self.world.garbage += 1
        raw = GARBAGE[which].replace(b"TAG", b"garbage-%d" % self.world.garbage)
        self.client.lpush(queue, raw)

    # Consumers.

    @rule(which=which, room=st.integers(1, 4))
    def claim(self, which: int, room: int) -> None:
        peer = self._peer(which)
        may_isolate = self.world.may_isolate(peer)
        numbers = peer.claim(room)
        assert len(numbers) <= room
        if may_isolate:
            assert any(peer.got[number].suspect for number in numbers), "no suspect is taken"
        self.world.sent(peer)
        self.world.handed_out(peer, numbers)

    @rule(which=which, room=st.integers(1, 4), reconnects=st.booleans())
    def claim_and_lose_the_reply(self, which: int, room: int, reconnects: bool) -> None:
        peer = self._peer(which)
        peer.claim_and_lose_the_reply(room)
        if reconnects:
            peer.connect()
        peer.flush()  # what was sent and not answered is said once more
        self.world.sent(peer)

    @rule(
        which=which,
        what=st.sampled_from(["ack", "ack", "requeue", "back", "later", "crash", "dead"]),
        data=st.data(),
    )
    def settle(self, which: int, what: str, data: st.DataObject) -> None:
        peer = self._peer(which)
        zombies = self.world.zombies.get(peer.owner.id, {})
        if not peer.got and not zombies:
            return
        number = data.draw(st.sampled_from(sorted({*peer.got, *zombies})))
        is_zombie = number in zombies
        message = zombies.pop(number) if is_zombie else peer.got.pop(number)
        {
            "ack": message.ack,
            "requeue": message.requeue,
            "back": message.put_back,
            "later": lambda: message.put_back(3600),
            "crash": lambda: message.crashed("its child died", "child"),
            "dead": lambda: message.dead_letter("why"),
        }[what]()
        told = "isolated" if what == "crash" and message.suspect else what
        told = "nothing" if is_zombie else told  # its claim is over, also if it has another one
        self.world.pending.setdefault(peer.owner.id, []).append((told, number))

    @rule(which=which, by_heartbeat=st.booleans())
    def flush(self, which: int, by_heartbeat: bool) -> None:
        peer = self._peer(which)
        peer.flush(by_heartbeat)
        self.world.sent(peer)

    @rule(which=which)
    def keep(self, which: int) -> None:
        peer = self._peer(which)
        peer.keep()
        self.world.sent(peer)

    @rule(how_many=st.integers(2, 4), data=st.data())
    def suspects(self, how_many: int, data: st.DataObject) -> None:
        """Some that two workers have died with, or a child in an isolated run: rare otherwise."""
        for _ in range(how_many):
            number = self.world.number()
            self._publish(data.draw(queues), number)
            names = {"one", "two", *data.draw(st.sampled_from([(), ("isolated",)]))}
            self.client.hset(f"dutiful:crashes:tag-{number}", mapping=dict.fromkeys(names, 1))
            self.client.expire(f"dutiful:crashes:tag-{number}", 1000)
            self.world.crashes[number] |= names
