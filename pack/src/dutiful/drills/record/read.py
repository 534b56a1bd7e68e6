"""Reads the run record and runs its Redis server."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.record.write import DONE, ENDS, STARTS


class Start(NamedTuple):
    """One start of a task."""

    number: int
    kind: str
    wait: float
    """Seconds from the enqueue to the start."""
    at: float
    """Seconds since the epoch."""
    worker: str
    """The name of the process, as the supervisor gives it."""


class End(NamedTuple):
    """One end of a task."""

    number: int
    at: float
    """Seconds since the epoch."""
    worker: str


class RunRecord:
    """The record of one deployment. A context manager, which runs the server."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedBroker(folder)

    def __enter__(self) -> "RunRecord":
        self.server.start()
        self.client: Any = redis.Redis.from_url(self.server.url, decode_responses=True)
        self._starts: list[Start] = []
        self._ends: list[End] = []
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()
        self.server.stop()

    def starts(self) -> list[Start]:
        """Returns all starts so far, in their order. Only the new ones are fetched."""
        news = self.client.lrange(STARTS, len(self._starts), -1)
        self._starts += [Start(*json.loads(line)) for line in news]
        return self._starts

    def ends(self) -> list[End]:
        """Returns all ends so far, in their order. Only the new ones are fetched."""
        news = self.client.lrange(ENDS, len(self._ends), -1)
        self._ends += [End(*json.loads(line)) for line in news]
        return self._ends

    def done(self) -> int:
        """Returns how many different tasks have ended."""
        return int(self.client.scard(DONE))
