"""The fleet's counters: a hash of bounded size on the shared Redis.

Processes only add to it. `COUNTS` has a field for each number of each task and queue, and of each
role's publishes: `task|queue|outcome|failed`. `STARTS` has the workers' starts of the last hour.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import redis

from dutiful.monitoring.fleet.buckets import empty, index, labelled

COUNTS: Final = "dutiful:monitoring:counts"
STARTS: Final = "dutiful:monitoring:starts"
OUTCOMES: Final = ("succeeded", "failed", "retried", "crashed", "other")
SUMS: Final = ("wait", "run", "cpu")
"""Seconds, added up."""
MOST_FIELDS: Final = 20_000
"""The hash has at most so many fields: beyond them a task is counted as `OTHER`."""
GROWN: Final = "grown"
DATABASE: Final = "database"
OTHER: Final = "(other)"
PUBLISHES: Final = "(publishes)"
"""In place of the queue where a role's publishes are counted."""
MOST_STARTS: Final = 500
STARTS_SECONDS: Final = 3600.0

_ADD: Final = """
local full = redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1])
for i = 3, #ARGV, 2 do
    local field, by = ARGV[i], ARGV[i + 1]
    if full and redis.call('HEXISTS', KEYS[1], field) == 0 then
        field = string.gsub(field, '^[^|]*', ARGV[2])
    end
    if string.find(by, '.', 1, true) then
        redis.call('HINCRBYFLOAT', KEYS[1], field, by)
    else
        redis.call('HINCRBY', KEYS[1], field, by)
    end
end
"""


@dataclass
class Counts:
    """Counts of one task on one queue, or of one role's publishes, since the hash began."""

    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SUMS, 0.0))
    wait: list[int] = field(default_factory=empty)
    run: list[int] = field(default_factory=empty)
    grown: int = 0
    """Bytes by which its runs made their processes grow (`grown`)."""
    queries: int = 0
    """Database statements of its runs (`dutiful/monitoring/queries.py`)."""
    database: float = 0.0
    """Seconds that its runs waited for databases."""

    @property
    def runs(self) -> int:
        return sum(self.outcomes.values())

    def numbers(self) -> dict[str, float]:
        """What is not zero, by name: `outcome|failed`, `seconds|cpu`, `wait|0.5`."""
        found: dict[str, float] = {
            f"{GROWN}|bytes": self.grown,
            f"{DATABASE}|queries": self.queries,
            f"{DATABASE}|seconds": self.database,
        }
        found |= {f"outcome|{name}": count for name, count in self.outcomes.items()}
        found |= {f"seconds|{name}": seconds for name, seconds in self.seconds.items()}
        for what, counts in (("wait", self.wait), ("run", self.run)):
            found |= {f"{what}|{edge}": count for edge, count in labelled(counts).items()}
        return {name: number for name, number in found.items() if number}

    @classmethod
    def of(cls, numbers: Mapping[str, float]) -> "Counts":
        """The reverse of `numbers()`, whatever catalogue its edges are of."""
        found = cls()
        for name, number in numbers.items():
            what, _, which = name.partition("|")
            found.set(what, which, number)
        return found

    def set(self, what: str, which: str, number: float | bytes) -> None:
        """One number by its name. What has no such name is passed over."""
        if what == "outcome" and which in self.outcomes:
            self.outcomes[which] = int(number)
        elif what == "seconds" and which in self.seconds:
            self.seconds[which] = float(number)
        elif what in ("wait", "run"):
            counts: list[int] = getattr(self, what)
            with contextlib.suppress(ValueError):
                counts[index(float(which))] += int(number)
        elif what == GROWN:
            self.grown = int(number)
        elif what == DATABASE and which == "queries":
            self.queries = int(number)
        elif what == DATABASE and which == "seconds":
            self.database = float(number)


def add(client: redis.Redis, prefix: str, numbers: Mapping[str, float]) -> None:
    """Adds numbers by field, in one round trip. Raises redis errors: then they may be added."""
    words: list[Any] = []
    for name, by in numbers.items():
        words += (name, by if isinstance(by, int) else f"{by:.6f}")
    for start in range(0, len(words), 2000):  # Lua's stack is bounded
        client.eval(_ADD, 1, f"{prefix}{COUNTS}", MOST_FIELDS, OTHER, *words[start : start + 2000])


def started(
    client: redis.Redis, prefix: str, profile: str, name: str, unique: str, release: str = ""
) -> None:
    """Notes a worker's start, by the server's clock."""
    key, now = f"{prefix}{STARTS}", float(client.time()[0])
    release = release.replace("|", "/")
    with client.pipeline(transaction=True) as pipe:
        pipe.zadd(key, {f"{profile}|{name}|{unique}|{release}": now})
        pipe.zremrangebyscore(key, "-inf", now - STARTS_SECONDS)
        pipe.zremrangebyrank(key, 0, -MOST_STARTS - 1)
        pipe.execute()


def split_starts(members: list[bytes]) -> list[tuple[str, str]]:
    """Profile and name of each start in a profile's present release; `members` by time.

    Starts of earlier releases are left out: a deploy is no crash.
    """
    words = [word for member in members if len(word := member.decode().split("|")) == 4]
    present = {profile: release for profile, _, _, release in words}
    return [(word[0], word[1]) for word in words if word[3] == present[word[0]]]


@dataclass(frozen=True)
class Fleet:
    """All counters at one moment. Subtract an earlier reading for what happened since."""

    tasks: dict[tuple[str, str], Counts]
    """By task and queue."""
    publishes: dict[str, Counts]
    """By role; `run` is how long each took, outcomes are succeeded and failed."""


def read(client: redis.Redis, prefix: str) -> Fleet:
    """One HGETALL, bounded by MOST_FIELDS. Raises redis errors."""
    found: Any = client.hgetall(f"{prefix}{COUNTS}")
    return parse(found)


def parse(hash_: Mapping[bytes, bytes]) -> Fleet:
    """Ignores fields that have no such name."""
    fleet = Fleet({}, {})
    for name, value in hash_.items():
        words = name.decode(errors="replace").split("|")
        if len(words) != 4:
            continue
        task, queue, what, which = words
        if queue == PUBLISHES:
            counts = fleet.publishes.setdefault(task, Counts())
        else:
            counts = fleet.tasks.setdefault((task, queue), Counts())
        counts.set(what, which, value)
    return fleet
