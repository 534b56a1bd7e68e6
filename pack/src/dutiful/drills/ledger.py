"""What ran, read back from the drills' record on a server of its own."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.record import DONE, ENDS, RUNS


class Start(NamedTuple):
    number: int
    kind: str
    wait: float
    """Seconds from the enqueue."""
    at: float
    """Epoch."""
    worker: str
    """As the crew names it: post.incarnation."""


class End(NamedTuple):
    number: int
    at: float
    worker: str


class Ledger:
    """The record's server and its readings. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedBroker(folder)

    def __enter__(self) -> "Ledger":
        self.server.start()
        self.client: Any = redis.Redis.from_url(self.server.url, decode_responses=True)
        self._starts: list[Start] = []
        self._ends: list[End] = []
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()
        self.server.stop()

    def starts(self) -> list[Start]:
        """All so far, in their order. Only what is new is fetched."""
        news = self.client.lrange(RUNS, len(self._starts), -1)
        self._starts += [Start(*json.loads(line)) for line in news]
        return self._starts

    def ends(self) -> list[End]:
        """All so far, in their order."""
        news = self.client.lrange(ENDS, len(self._ends), -1)
        self._ends += [End(*json.loads(line)) for line in news]
        return self._ends

    def done(self) -> int:
        """How many different tasks ended."""
        return int(self.client.scard(DONE))
