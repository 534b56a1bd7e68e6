"""Claiming: what is settled and what is wanted go in one packet; what comes is ours, leased."""

import time
import weakref
from collections import deque
from collections.abc import Container
from typing import Any, Final

from dutiful.transport.redis import scripts
from dutiful.transport.redis.capacity import Capacity
from dutiful.transport.redis.lease_heartbeat import report_fenced, settle_arguments
from dutiful.transport.redis.owner import Held, Operation, Owner
from dutiful.transport.redis.pending import PendingClaim, PendingClaims
from dutiful.transport.redis.publishing import Publishing
from dutiful.transport.redis.script_connection import Call
from dutiful.transport.redis.unpacking import Unpacking

FIELDS: Final = 7
"""Of each message in the reply of claim.lua."""
MAX_ROOM: Final = 500
"""Messages a claim at the most: Lua returns them as one list."""
Taken = tuple[list[str], list[Operation]]
"""Acks and other operations on their way to the server."""
NOTHING: Final[Taken] = ([], [])


class Claiming(Capacity, PendingClaims, Unpacking, Publishing):
    """The half of a channel that receives."""

    connection: Any
    _in_poll: Any
    priority_steps: list[int]
    _brpop_sent_at: float
    closed: bool

    def start_claiming(self) -> None:
        self.actives: list[str] = []
        self._no_ack: set[str] = set()
        self._inbox: deque[tuple[str, Any]] = deque()
        self._backlog: dict[str, bool] = {}
        self._looked = 0.0
        self.next_due: float | None = None

    def look_again(self, queue: str | None = None) -> None:
        """A bell rang, or the poll's time is over."""
        if queue is None:
            self._looked = time.monotonic()
        for each in [queue] if queue else self.actives:
            self._backlog[each] = True

    def turn(self, limit: int = MAX_ROOM) -> bool:
        """Settles, claims and delivers what there is. True if something was delivered."""
        if self.deliver(limit):
            return True
        if self.awaits_reply:
            return False
        now = time.monotonic()
        if not self._sleeps(now) and now - self._looked >= self.options.poll_seconds:
            self.look_again()
        if self.next_due is not None and now >= self.next_due:
            self.look_again()
        owner = self.owner
        taken = owner.take() if owner else NOTHING  # first: it makes room
        if owner and owner.may_isolate:
            owner.may_isolate = False
            self.look_again()
        wanted = [queue for queue in self.queues_with_capacity() if self._backlog.get(queue, True)]
        if not wanted and not any(taken):
            return False
        if owner and self.connection.cycle.loops and self._no_ack.isdisjoint(wanted):
            self.depart(owner, wanted, taken)
            return False
        self.talk(wanted, taken)
        return self.deliver(limit)

    def _sleeps(self, now: float) -> bool:
        """Whether a bell would be heard: not by a connection that is overdue itself."""
        return bool(self._in_poll) and now - self._brpop_sent_at < 2 * self.options.poll_seconds + 1

    def depart(self, owner: Owner, queues: list[str], taken: Taken) -> None:
        """As `talk`, without waiting: `arrive` is called when the answer can be read."""
        acks, others = taken
        self._be_sure(owner, taken)
        calls = self._settle(owner, acks, others)
        if queues:
            calls.append(self._claim(queues, None))
        self.send_off(PendingClaim(owner, calls, queues, acks, others))

    def arrive(self) -> bool:
        """What a pending brought, into the map and to its consumers. Raises redis errors."""
        received = self.receive()
        if received is None:
            return False
        pending, replies = received
        try:
            pending.owner.settled(pending.acks, pending.others)
            self._heard(bool(pending.acks or pending.others), pending.queues, replies)
        finally:
            pending.end()
        return self.deliver(MAX_ROOM)

    def _be_sure(self, owner: Owner, taken: Taken) -> None:
        if self.unsure:  # whoever goes on with this channel after an error
            try:
                owner.heartbeat.hello(self.line)
            except BaseException:
                owner.give_back(*taken)
                raise
            self.unsure = False

    def _settle(self, owner: Owner, acks: list[str], others: list[Operation]) -> list[Call]:
        if not acks and not others:
            return []
        return [(scripts.SETTLE, self.keys.of_scripts, settle_arguments(owner, acks, others))]

    def _heard(self, settled: bool, queues: list[str], replies: list[Any]) -> None:
        if settled:
            report_fenced(replies[0])
        if queues:
            self._take_in(queues, replies[-1])

    def talk(self, queues: list[str], taken: Taken | None = None, most: int | None = None) -> None:
        """One packet: what is to be settled, then a claim of those queues. Raises redis errors.

        `most` messages whatever the room is.
        """
        owner = self.owner
        if owner is None:
            self._talk([], queues, most)
            return
        acks, others = taken = taken or owner.take()
        self._be_sure(owner, taken)
        calls = self._settle(owner, acks, others)
        try:
            with owner.request_lock:
                self._talk(calls, queues, most)
        except BaseException:
            self.unsure = True
            owner.give_back(acks, others)
            raise
        owner.settled(acks, others)

    def _talk(self, calls: list[Call], queues: list[str], most: int | None) -> None:
        settles = bool(calls)
        if queues:
            calls.append(self._claim(queues, most))
        self._heard(settles, queues, self.line.run_all(calls))

    def _claim(self, queues: list[str], most: int | None) -> Call:
        owner, options = self.owner, self.options
        keys: list[Any] = [*self.keys.of_scripts]
        words: list[Any] = []
        free, rooms = self.rooms(queues)
        for queue, room in zip(queues, rooms, strict=True):
            keys += self.keys.lists(queue)
            mode = "noack" if queue in self._no_ack else "ack"
            words += (self.keys.whole(queue), room if most is None else most, mode)
        isolated_runs = self.connection.client.transport_options.get("isolated_runs")
        head = [
            owner.id if owner else "",
            owner.epoch if owner else 0,
            min(free, MAX_ROOM) if most is None else most,
            options.claim_max_bytes,
            options.message_max_bytes,
            options.suspect_after_crashes if isolated_runs else 0,
            options.suspect_wait_seconds,
            len(self.priority_steps),
            int(bool(owner and owner.isolates)),
        ]
        return scripts.CLAIM, keys, head + words

    def _take_in(self, queues: list[str], reply: list[Any]) -> None:
        if reply[0] == b"stale":
            assert self.owner is not None
            self.owner.heartbeat.hello(self.line)
            self.look_again()
            return
        server_now, due = float(reply[1]), reply[2]
        self.next_due = time.monotonic() + float(due) - server_now if due else None
        for queue, more in zip(queues, reply[3].decode(), strict=True):
            self._backlog[queue] = more == "y"
        got = []
        for i in range(4, len(reply), FIELDS):
            number, tag, crashes, isolation, *notes, raw = reply[i : i + FIELDS]
            queue = queues[int(number) - 1]
            held = None
            if self.owner and queue not in self._no_ack:
                held = Held(tag.decode(), queue, weakref.ref(self), bool(isolation))
                self.owner.add(held)  # all of them, before the first is delivered
            got.append((queue, held, raw, int(crashes), isolation, notes))
        self.shares.served(queues, {queue for queue, *_ in got}, self._backlog)
        for each in got:
            self._queue_cycle.rotate(each[0])
            self._make(*each, server_now)
        if self.owner and self.owner.stopped:  # it began to drain while this was under way
            self._inbox.clear()
            self.owner.stop_claiming()

    def deliver(self, limit: int) -> bool:
        """Hands claimed messages to their consumers, at most `limit`."""
        count = 0
        while self._inbox and count < limit:
            if self._inbox[0][0] not in self.connection._callbacks:
                # Cancelled while the claim was under way.
                self.put_back_inbox(keeping=self.connection._callbacks)
                continue
            queue, message = self._inbox.popleft()
            owner = self.owner
            held = owner.get(message.delivery_tag) if owner else None
            if held and owner:
                if owner.stopped:
                    continue  # it goes back
                held.delivered = True
            self.connection._deliver(message, queue)
            count += 1
        return bool(count)

    def put_back_all(self) -> None:
        """What this channel claimed and nobody has settled."""
        if self.owner:
            mine = [tag for tag, held in self.owner.held().items() if held.channel() is self]
            self.owner.put_back(reversed(mine))

    def put_back_inbox(self, keeping: Container[str] = ()) -> None:
        """What this channel claimed and has not delivered, but for those queues."""
        back = [each for each in self._inbox if each[0] not in keeping]
        self._inbox = deque(each for each in self._inbox if each[0] in keeping)
        for queue, message in reversed(back):
            self._return(queue, message)

    def _return(self, queue: str, message: Any) -> None:
        """Uncounted, to its queue."""
        if queue in self._no_ack:
            self._put(queue, message._raw)  # popped for good: only we have it
        elif self.owner and self.owner.get(message.delivery_tag):
            self.owner.put_back([message.delivery_tag])
