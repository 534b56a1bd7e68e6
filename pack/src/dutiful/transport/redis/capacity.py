"""How much a channel may still claim: asked in every turn of the loop, so in one pass."""

import time
from collections.abc import Iterable
from typing import Any

from dutiful.transport.redis.shares import Shares


class Capacity:
    """The slots of one channel less what is held, in all and by the shares of its queues."""

    def __init__(self, channel: Any, shares: Shares) -> None:
        self._channel, self._shares = channel, shares
        self.queues: list[str] = []
        """Consumed ones without fanout; kombu's `active_queues` makes the list anew each time."""
        self.without_acks: set[str] = set()
        self._may_have_messages: dict[str, bool] = {}
        """False for a queue that the last claim emptied, until something says otherwise."""
        self._looked = 0.0

    def of(self, queues: list[str]) -> tuple[int, list[int]]:
        """Messages that this consumer may still take: in all, and of each of these queues."""
        channel = self._channel
        owner = channel.owner
        held, counts = owner.load(channel) if owner else (0, {})
        slots = channel.qos.prefetch_count
        none_waits = not channel.inbox
        # Without a limit (plain kombu) one is taken after the other, and none is kept in hand.
        free = slots - held if slots else int(none_waits)
        if free <= 0:
            return free, [free] * len(queues)
        popped = int(none_waits)  # without acks it is gone from Redis: take what is delivered now
        return free, [
            min(
                free,
                popped
                if queue in self.without_acks
                else self._shares.capacity(queue, slots, counts),
            )
            for queue in queues
        ]

    def wanted(self) -> list[str]:
        """Queues with capacity that may have messages, in the order to be served."""
        return [queue for queue in self.free_queues() if self._may_have_messages.get(queue, True)]

    def free_queues(self) -> list[str]:
        """Queues that this channel consumes and has capacity for, in the order to be served."""
        channel = self._channel
        if channel.owner and channel.owner.stopped:
            return []
        order = self._shares.order(channel._queue_cycle.consume(len(self.queues)))
        free = [queue for queue, left in zip(order, self.of(order)[1], strict=True) if left > 0]
        for queue in self.queues:
            if queue not in free:
                self._may_have_messages[queue] = True  # unknown: look as soon as there is capacity
        return free

    def look_again(self, queue: str | None = None) -> None:
        """That queue may have messages, or all of them may, since nobody has looked for a while."""
        if queue is None:
            self._looked = time.monotonic()
        for each in [queue] if queue else self.queues:
            self._may_have_messages[each] = True

    def looked_since(self, now: float, seconds: float) -> bool:
        """Whether all queues were looked at within so many seconds before `now`."""
        return now - self._looked < seconds

    def claimed(self, queues: list[str], more: Iterable[bool], messages_of: list[str]) -> None:
        """Notes the reply to a claim: which queues have more, and the queue of each message."""
        self._may_have_messages.update(zip(queues, more, strict=True))
        self._shares.served(queues, set(messages_of), self._may_have_messages)
        for queue in messages_of:
            self._channel._queue_cycle.rotate(queue)
