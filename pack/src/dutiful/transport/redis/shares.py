"""Which queue next, and how much of it: the order, the shares of slots, nobody starved."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from dutiful.transport.options import Options


class Shares:
    """The shares of one consumer's queues.

    `broker_transport_options["queue_shares"]` maps a queue to the largest share (0, 1] of the
    slots that it may take; a queue that is not named may take all.
    """

    def __init__(self, transport_options: Mapping[str, Any], options: Options) -> None:
        self._shares: Mapping[str, float] = transport_options.get("queue_shares") or {}
        self._starved_seconds = options.starved_seconds
        self._waiting_since: dict[str, float] = {}

    def capacity(self, queue: str, slots: int, counts: Mapping[str, int]) -> int:
        """Messages that the queue may still take. At least one slot is every queue's."""
        share = self._shares.get(queue, 1.0)
        limit = max(1, math.floor(share * slots)) if slots else 10**6
        free = limit - counts.get(queue, 0)
        if queue in self._starving():
            return min(free, 1)
        return free

    def order(self, queues: list[str]) -> list[str]:
        """As given, but a queue that was passed over for long goes first, with one message."""
        starving = self._starving()
        return sorted(queues, key=lambda queue: queue not in starving)

    def served(self, asked: Iterable[str], got: set[str], backlog: Mapping[str, bool]) -> None:
        """Notes the reply to a claim: a queue that has messages and got none is waiting."""
        now = time.monotonic()
        for queue in asked:
            if queue in got or not backlog.get(queue):
                self._waiting_since.pop(queue, None)
            else:
                self._waiting_since.setdefault(queue, now)

    def _starving(self) -> set[str]:
        if not self._waiting_since:
            return set()
        limit = time.monotonic() - self._starved_seconds
        return {queue for queue, since in self._waiting_since.items() if since < limit}
