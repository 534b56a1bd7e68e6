"""From one queue to another: what waits, and what is parked, of all tasks or of one.

The messages are read and rewritten here. A script exchanges each batch, if it still lies there: a
message is in one of the two queues at any moment, whoever is killed. Workers and producers may go
on meanwhile. It works beside stock transports too.
"""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from dutiful.transport.redis import scripts
from dutiful.transport.redis.keys import Keys
from dutiful.transport.redis.look import Lens
from dutiful.transport.redis.script_connection import ScriptConnection

BATCH: Final = 100
"""Messages that one script exchanges: a millisecond or two of the server's time."""
BATCH_BYTES: Final = 1024 * 1024
PASSES: Final = 5
"""A producer that still publishes to the old queue must not keep a move going for ever."""
UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Move:
    """One move. Not thread-safe. Every method raises redis errors; then it may be made again."""

    def __init__(
        self, channel: Any, old: str, new: str, task: str = "", rate: float | None = None
    ) -> None:
        """`task` is a task's name, "" for all; `rate` is messages a second, None for no bound."""
        keys = self._keys = Keys(channel)
        self.pairs = tuple(zip(keys.lists(old), keys.lists(new), strict=True))
        """The lists of the old queue and of the new one, a pair for each priority."""
        self.old, self.new, self.task = old, new, task
        self.lens = Lens(channel, (old,))
        self.rate = rate
        self.size = BATCH if rate is None else max(1, min(BATCH, int(rate / 10)))
        self.line = ScriptConnection(channel.pool)
        self.moved = self.parked = 0
        self.arriving = False
        """Each pass found new ones: somebody publishes to the old queue."""

    def run(self) -> Iterator[int]:
        """Until a pass finds nothing to move; yields how many each batch moved.

        Parked messages come first: those that are due meanwhile join the waiting ones.
        """
        yield from self._parked()
        for _ in range(PASSES):
            before = self.moved
            for old, new in self.pairs:
                yield from self._waiting(old, new)
            if self.moved == before:
                return
        self.arriving = True

    def left(self) -> tuple[int, int]:
        """Of all tasks: how many wait in the old queue, and how many of it workers hold."""
        look = self.lens.seen(self.line.run(scripts.LOOK, *self.lens.call))
        held = [owner.facts.get("queues", {}).get(self.old, 0) for owner in look.owners]
        return look.queues[self.old].depth, sum(held)

    def close(self) -> None:
        self.line.close()

    def rewritten(self, raw: bytes) -> str | bytes | None:
        """The message for its new queue; None where another task was asked for.

        Retries and stock workers read the message's place from its text. What cannot be read moves
        as it is, where all tasks move.
        """
        try:
            message = json.loads(raw)
            if self.task and message["headers"]["task"] != self.task:
                return None
            info = message["properties"]["delivery_info"]
            if "exchange" in info:
                info["exchange"] = ""
            if "routing_key" in info:
                info["routing_key"] = self.new
            return json.dumps(message)
        except UNREADABLE:
            return None if self.task else raw

    def _waiting(self, old: str, new: str) -> Iterator[int]:
        """One list, from its oldest message on."""
        step = len(old) - len(self._keys.whole(self.old))
        keys = [*self._keys.of_scripts, old, new, *(each for each, _ in self.pairs)]
        stay, last = 0, b""
        while True:
            began = time.monotonic()
            words = ["read", self.size, BATCH_BYTES, stay, last]
            stay, *found = self.line.run(scripts.REROUTE, keys, words)
            texts: list[Any] = []
            staying = stay
            for raw in found:
                text = self.rewritten(raw)
                if text is None:
                    staying, last = staying + 1, raw
                else:
                    texts += (raw, text)
            count = 0
            if texts:
                count = self.line.run(scripts.REROUTE, keys, ["waiting", step, stay, *texts])
            stay = staying
            self.moved += count
            yield count
            if not found:
                return
            self._pace(count, began)

    def _parked(self) -> Iterator[int]:
        keys = [*self._keys.of_scripts, *(key for pair in self.pairs for key in pair)]
        ours = {old for old, _ in self.pairs}
        at: Any = 0
        while at != b"0":
            at, found = self.line.command("HSCAN", self._keys.ours("parked_at"), at, "COUNT", BATCH)
            ids = [
                each
                for each, where in zip(found[::2], found[1::2], strict=True)
                if json.loads(where)[0] in ours
            ]
            for start in range(0, len(ids), self.size):
                began = time.monotonic()
                count = self._exchange(keys, ids[start : start + self.size])
                self.parked += count
                yield count
                self._pace(count, began)

    def _exchange(self, keys: list[str], ids: list[bytes]) -> int:
        words: list[Any] = ["parked"]
        for each in ids:
            raw = self.line.command("HGET", self._keys.ours("messages"), each)
            text = self.rewritten(raw) if raw else None
            if text is not None:
                words += (each, text)
        return int(self.line.run(scripts.REROUTE, keys, words)) if len(words) > 1 else 0

    def _pace(self, count: int, began: float) -> None:
        if self.rate is not None:
            time.sleep(max(0.0, began + count / self.rate - time.monotonic()))
