"""Where each replica stands, as it was measured a second ago: one table for a worker's processes.

The table is anonymous shared memory, made before the pool forks: the worker's main process
measures, its children read. Each field is eight aligned bytes, so none is ever read half written.
"""

import mmap
import time
from dataclasses import dataclass
from struct import Struct
from typing import Final

from dutiful.database.replicas import REPLICA_MAX_LAG_MB, REPLICA_MAX_LAG_SECONDS, aliases

STALE: Final = 3.0
"""Seconds: a replica whose last measure is older does not answer."""
MB: Final = 1024 * 1024
ALIASES: Final = tuple(aliases())
MOST_BYTES: Final = REPLICA_MAX_LAG_MB.get() * MB
MOST_SECONDS: Final = REPLICA_MAX_LAG_SECONDS.get()

IDLE: Final = 30.0
"""Seconds without a question after which nobody measures."""

_LAYOUT: Final = Struct("=dQQd")
_REQUESTED: Final = Struct("=d")
_TABLE: Final = mmap.mmap(-1, len(ALIASES) * _LAYOUT.size + _REQUESTED.size)


@dataclass(frozen=True)
class ReplicaStatus:
    """What was measured of one replica."""

    alias: str
    at: float = 0.0
    """By the monotonic clock, which all processes of a machine share. 0: not yet; negative: it did
    not answer."""
    replayed: int = 0
    """The position that it has replayed."""
    behind_bytes: int = 0
    """Of the write-ahead log, from there to the primary's position."""
    behind_seconds: float = 0.0

    @property
    def answers(self) -> bool:
        return self.at > 0 and time.monotonic() - self.at <= STALE

    @property
    def within_limits(self) -> bool:
        """Whether it is not too far behind."""
        return self.behind_seconds <= MOST_SECONDS and self.behind_bytes <= MOST_BYTES

    @property
    def usable(self) -> bool:
        return self.answers and self.within_limits


def record(found: ReplicaStatus) -> None:
    """Writes what was measured."""
    values = (found.at, found.replayed, found.behind_bytes, found.behind_seconds)
    _LAYOUT.pack_into(_TABLE, _place(found.alias), *values)


def record_down(alias: str) -> None:
    """It did not answer: nobody reads there until it is measured again."""
    record(ReplicaStatus(alias, -1.0))


def record_unknown(alias: str) -> None:
    """Nobody measures now, so nothing is known of it."""
    record(ReplicaStatus(alias))


def request() -> None:
    """Somebody wants to know, so it is to be measured."""
    _REQUESTED.pack_into(_TABLE, len(ALIASES) * _LAYOUT.size, time.monotonic())


def requested() -> bool:
    """Whether anybody did, lately."""
    (at,) = _REQUESTED.unpack_from(_TABLE, len(ALIASES) * _LAYOUT.size)
    return bool(at) and time.monotonic() - float(at) < IDLE


def of(alias: str) -> ReplicaStatus:
    return ReplicaStatus(alias, *_LAYOUT.unpack_from(_TABLE, _place(alias)))


def each() -> list[ReplicaStatus]:
    """Of all replicas, in the order of REPLICA_URLS."""
    return [of(alias) for alias in ALIASES]


def _place(alias: str) -> int:
    return ALIASES.index(alias) * _LAYOUT.size
