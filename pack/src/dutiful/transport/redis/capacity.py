"""How much a channel may still claim: looked at in every turn of the loop, so in one pass."""

from collections import deque
from typing import Any

from dutiful.transport.redis.owner import Owner
from dutiful.transport.redis.shares import Shares


class Capacity:
    """Slots less what is held, in all and by the shares of the queues."""

    actives: list[str]
    """Consumed queues without fanout ones, as kombu's `active_queues`, which makes them anew."""
    owner: Owner | None
    qos: Any
    shares: Shares
    _queue_cycle: Any
    _no_ack: set[str]
    _inbox: deque[tuple[str, Any]]
    _backlog: dict[str, bool]

    def room(self, queue: str | None = None) -> int:
        """How many messages this consumer may still take, in all or of one queue."""
        free, rooms = self.rooms([queue] if queue else [])
        return rooms[0] if queue else free

    def rooms(self, queues: list[str]) -> tuple[int, list[int]]:
        """Room in all, and of each of these queues."""
        held, counts = self.owner.load(self) if self.owner else (0, {})
        slots = self.qos.prefetch_count
        # Without a limit (plain kombu): one after the other, nothing is hoarded.
        free: int = slots - held if slots else int(not self._inbox)
        if free <= 0:
            return free, [free] * len(queues)
        popped = int(not self._inbox)  # for good: no more than is delivered now
        return free, [
            min(free, popped if queue in self._no_ack else self.shares.room(queue, slots, counts))
            for queue in queues
        ]

    def queues_with_capacity(self) -> list[str]:
        """Queues that this channel consumes and has room for, in their order."""
        if self.owner and self.owner.stopped:
            return []
        active = self.actives
        order = self.shares.order(self._queue_cycle.consume(len(active)))
        rooms = self.rooms(order)[1]
        wanted = [queue for queue, room in zip(order, rooms, strict=True) if room > 0]
        for queue in active:
            if queue not in wanted:
                self._backlog[queue] = True  # unknown: look as soon as there is room
        return wanted
