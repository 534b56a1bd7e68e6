"""From one queue to another: what waits, and what is parked, of all tasks or of one.

Each batch is one script: a message lies in one of the two queues at any moment, whoever is killed.
Workers and producers may go on meanwhile. It works beside stock transports too.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dutiful.transport.redis import scripts
from dutiful.transport.redis.look import Lens
from dutiful.transport.redis.script_connection import ScriptConnection

BATCH: Final = 100
"""Messages that one script looks at: one or two milliseconds of the server's time."""
BATCH_BYTES: Final = 1024 * 1024
PASSES: Final = 5
"""Whoever still publishes to the old queue must not keep us for ever."""


@dataclass(frozen=True)
class Names:
    """The keys of a channel of kombu's, ours or stock's."""

    script_keys: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    """The lists of the old queue and of the new one, a pair each priority."""
    prefix: int
    """Length of the old queue's own key: what follows in a list's name is the priority."""

    @classmethod
    def of(cls, channel: Any, old: str, new: str) -> "Names":
        prefix: str = channel.global_keyprefix
        keys = (channel.unacked_key, channel.unacked_index_key, "dead_letters")

        def lists(queue: str) -> list[str]:
            return [f"{prefix}{channel._q_for_pri(queue, n)}" for n in channel.priority_steps]

        return cls(
            tuple(f"{prefix}{key}" for key in keys),
            tuple(zip(lists(old), lists(new), strict=True)),
            len(prefix) + len(old),
        )


class Move:
    """One move. Not thread-safe. Every method raises redis errors; then it may be made again."""

    def __init__(
        self, channel: Any, old: str, new: str, task: str = "", rate: float | None = None
    ) -> None:
        """`task` is a task's name, "" for all; `rate` is messages a second, None for no bound."""
        self.names = Names.of(channel, old, new)
        self.old, self.lens = old, Lens(channel, (old,))
        self.words = (json.dumps(task)[1:-1], json.dumps(new))
        self.rate = rate
        self.size = BATCH if rate is None else max(1, min(BATCH, int(rate / 10)))
        self.line = ScriptConnection(channel.pool)
        self.moved = self.parked = 0
        self.arriving = False
        """Each pass found new ones: somebody publishes to the old queue."""

    def run(self) -> Iterator[int]:
        """Until a pass finds nothing to move; yields how many each batch moved.

        First what is parked: what is due meanwhile joins the waiting ones, in front of us.
        """
        yield from self._parked()
        for _ in range(PASSES):
            before = self.moved
            for step in range(len(self.names.pairs)):
                yield from self._waiting(step)
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

    def _waiting(self, step: int) -> Iterator[int]:
        """One list, from its oldest message on."""
        pair = self.names.pairs[step]
        keys = [*self.names.script_keys, *pair, *(old for old, _ in self.names.pairs)]
        suffix = len(pair[0]) - self.names.prefix
        stay, last, done = 0, b"", 0
        while not done:
            began = time.monotonic()
            words = (*self.words, self.size, BATCH_BYTES, stay, last, suffix)
            count, stay, last, done, _ = self.line.run(scripts.REROUTE, keys, ["list", *words])
            self.moved += count
            yield count
            self._pace(count, began)

    def _parked(self) -> Iterator[int]:
        keys = [*self.names.script_keys, *(key for pair in self.names.pairs for key in pair)]
        ours = {pair[0].encode() for pair in self.names.pairs}
        at: Any = 0
        while at != b"0":
            at, found = self.line.command(
                "HSCAN", f"{self.names.script_keys[0]}:parked_at", at, "COUNT", BATCH
            )
            tags = [
                tag
                for tag, where in zip(found[::2], found[1::2], strict=True)
                if where.split(b"|", 3)[-1] in ours
            ]
            for start in range(0, len(tags), self.size):
                began = time.monotonic()
                words = ["parked", *self.words, *tags[start : start + self.size]]
                count = self.line.run(scripts.REROUTE, keys, words)
                self.parked += count
                yield count
                self._pace(count, began)

    def _pace(self, count: int, began: float) -> None:
        if self.rate is not None:
            time.sleep(max(0.0, began + count / self.rate - time.monotonic()))
