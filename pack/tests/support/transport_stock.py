"""A stock worker by kombu's own commands, for the model: it pops, then notes; it sweeps by age."""

import json
import time
from typing import Any, Final

from tests.support.transport import VISIBILITY_SECONDS

UNACKED: Final = "unacked"
INDEX: Final = "unacked_index"


class StockPeer:
    """What it has got is in `got`: number of the message to tag."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.got: dict[int, str] = {}

    def claim(self, queue: str) -> tuple[int, str, int | None] | None:
        """Pops one: its number, its tag, and the number that it wrote over, if any."""
        raw = self.client.rpop(queue)
        if raw is None:
            return None
        try:
            message = json.loads(raw)
            number, tag = int(message["headers"]["id"]), message["properties"]["delivery_tag"]
        except (ValueError, LookupError, TypeError, RecursionError):
            self.client.rpush(queue, raw)  # it would stumble here; the model leaves it to ours
            return None
        before = self.client.hget(UNACKED, tag)
        self.client.zadd(INDEX, {tag: time.time()})
        self.client.hset(UNACKED, tag, json.dumps([message, "", queue]))
        self.got[number] = tag
        return number, tag, number_of(before) if before else None

    def ack(self, number: int) -> None:
        tag = self.got.pop(number)
        self.client.zrem(INDEX, tag)
        self.client.hdel(UNACKED, tag)

    def sweep(self) -> list[int]:
        """Gives back what is older than the visibility timeout, as each stock worker does."""
        back = []
        for tag in self.client.zrangebyscore(INDEX, 0, time.time() - VISIBILITY_SECONDS):
            stored = self.client.hget(UNACKED, tag)
            self.client.zrem(INDEX, tag)
            self.client.hdel(UNACKED, tag)
            if stored:
                message, _, queue = json.loads(stored)
                self.client.rpush(queue, json.dumps(message))
                back.append(int(message["headers"]["id"]))
        return back


def number_of(stored: bytes) -> int | None:
    """The number of a message, alone or as stock's `unacked` keeps it; None for garbage."""
    try:
        found = json.loads(stored)
        message = found[0] if isinstance(found, list) else found
        return int(message["headers"]["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
