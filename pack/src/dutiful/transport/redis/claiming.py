"""Claiming: settlements and a claim travel in one packet; the messages in its reply are leased."""

import time
import weakref
from typing import Any, Final

from dutiful.transport.redis import scripts
from dutiful.transport.redis.inbox import Claimed
from dutiful.transport.redis.owner import Held, Operation, Owner
from dutiful.transport.redis.pending import PendingClaim, Pipeline
from dutiful.transport.redis.script_connection import Call
from dutiful.transport.redis.settling import report_fenced, settle_call

FIELDS: Final = 7
"""Of each message in the reply of claim.lua."""
MOST_MESSAGES: Final = 500
"""Messages of one claim: Lua returns them as one list."""
Taken = tuple[list[str], list[Operation]]
"""Acks and other operations on their way to the server."""
NOTHING: Final[Taken] = ([], [])


class Claimer:
    """Claims for one channel, into its inbox. Not thread-safe, as channels are not."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.pipeline = Pipeline(channel)
        self.next_due: float | None = None
        """When the next parked message is due, by this process's monotonic clock."""

    def turn(self, limit: int = MOST_MESSAGES) -> bool:
        """Settles, claims and delivers what there is. True if something was delivered."""
        channel = self._channel
        if channel.inbox.deliver(limit):
            return True
        if self.pipeline.awaits_reply:
            return False
        now, capacity = time.monotonic(), channel.capacity
        polled = capacity.looked_since(now, channel.options.poll_seconds)
        if not (polled or channel.waits_for_notification(now)):
            capacity.look_again()
        if self.next_due is not None and now >= self.next_due:
            capacity.look_again()
        owner = channel.owner
        taken = owner.take() if owner else NOTHING  # first: it makes room
        if owner and owner.may_isolate:
            owner.may_isolate = False
            capacity.look_again()
        wanted = capacity.wanted()
        if not wanted and not any(taken):
            return False
        if owner and channel.connection.cycle.loops and capacity.without_acks.isdisjoint(wanted):
            self._send(owner, wanted, taken)
            return False
        self.request(wanted, taken)
        return bool(channel.inbox.deliver(limit))

    def request(
        self, queues: list[str], taken: Taken | None = None, most: int | None = None
    ) -> None:
        """One packet: settlements, then a claim of those queues. Raises redis errors.

        `most` messages, whatever the capacity is.
        """
        owner = self._channel.owner
        if owner is None:
            self._exchange([], queues, most)
            return
        acks, others = taken = taken or owner.take()
        self._settle_lost_reply(owner, taken)
        try:
            with owner.request_lock:
                self._exchange(settle_call(self._channel.keys, owner, taken), queues, most)
        except BaseException:
            self.pipeline.reply_lost = True
            owner.give_back(acks, others)
            raise
        owner.settled(acks, others)

    def arrive(self) -> bool:
        """Takes in the reply to a packet, and delivers. Raises redis errors."""
        received = self.pipeline.receive()
        if received is None:
            return False
        pending, replies = received
        try:
            pending.owner.settled(pending.acks, pending.others)
            self._take_in(bool(pending.acks or pending.others), pending.queues, replies)
        finally:
            pending.end()
        return bool(self._channel.inbox.deliver(MOST_MESSAGES))

    def hang_up(self) -> None:
        """The next packet travels on a new connection; one that is under way is left alone."""
        self._channel.script_connection.close()
        self.pipeline.close_idle()

    def _send(self, owner: Owner, queues: list[str], taken: Taken) -> None:
        """As `request`, without waiting: `arrive` is called when the reply can be read."""
        acks, others = taken
        self._settle_lost_reply(owner, taken)
        calls = settle_call(self._channel.keys, owner, taken)
        if queues:
            calls.append(self._claim(queues, None))
        self.pipeline.send(PendingClaim(owner, calls, queues, acks, others))

    def _settle_lost_reply(self, owner: Owner, taken: Taken) -> None:
        """After an error on this channel: what the server lists and nobody knows goes back."""
        if self.pipeline.reply_lost:
            try:
                owner.heartbeat.hello(self._channel.script_connection)
            except BaseException:
                owner.give_back(*taken)
                raise
            self.pipeline.reply_lost = False

    def _exchange(self, calls: list[Call], queues: list[str], most: int | None) -> None:
        settles = bool(calls)
        if queues:
            calls.append(self._claim(queues, most))
        self._take_in(settles, queues, self._channel.script_connection.run_all(calls))

    def _take_in(self, settles: bool, queues: list[str], replies: list[Any]) -> None:
        if settles:
            report_fenced(replies[0])
        if queues:
            self._take_in_claim(queues, replies[-1])

    def _claim(self, queues: list[str], most: int | None) -> Call:
        channel = self._channel
        owner, options, capacity = channel.owner, channel.options, channel.capacity
        keys: list[Any] = [*channel.keys.of_scripts]
        words: list[Any] = []
        free, of_each = capacity.of(queues)
        for queue, left in zip(queues, of_each, strict=True):
            keys += channel.keys.lists(queue)
            mode = "noack" if queue in capacity.without_acks else "ack"
            words += (channel.keys.whole(queue), left if most is None else most, mode)
        isolated_runs = channel.connection.client.transport_options.get("isolated_runs")
        head = [
            owner.id if owner else "",
            owner.epoch if owner else 0,
            min(free, MOST_MESSAGES) if most is None else most,
            options.claim_max_bytes,
            options.message_max_bytes,
            options.suspect_after_crashes if isolated_runs else 0,
            options.suspect_wait_seconds,
            len(channel.priority_steps),
            int(bool(owner and owner.isolates)),
        ]
        return scripts.CLAIM, keys, head + words

    def _take_in_claim(self, queues: list[str], reply: list[Any]) -> None:
        channel, owner = self._channel, self._channel.owner
        if reply[0] == b"stale":
            owner.heartbeat.hello(channel.script_connection)
            channel.capacity.look_again()
            return
        now, due = float(reply[1]), reply[2]
        self.next_due = time.monotonic() + float(due) - now if due else None
        found = [
            self._claimed(queues, reply[i : i + FIELDS]) for i in range(4, len(reply), FIELDS)
        ]  # all of them are in the owner's map before the first is delivered
        more = (each == "y" for each in reply[3].decode())
        channel.capacity.claimed(queues, more, [each.queue for each in found])
        for each in found:
            channel.inbox.add(each, now)
        if owner and owner.stopped:  # it began to drain while this was under way
            channel.inbox.clear()
            owner.stop_claiming()

    def _claimed(self, queues: list[str], fields: list[Any]) -> Claimed:
        number, tag, crashes, isolation, redelivered, eligible_at, raw = fields
        channel, queue, held = self._channel, queues[int(number) - 1], None
        if channel.owner and queue not in channel.capacity.without_acks:
            held = Held(tag.decode(), queue, weakref.ref(channel), bool(isolation))
            channel.owner.add(held)
        since = float(eligible_at) if eligible_at else None
        return Claimed(queue, held, int(crashes), isolation.decode(), bool(redelivered), since, raw)
