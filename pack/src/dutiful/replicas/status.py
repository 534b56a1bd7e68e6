"""The last measurement of each replica, in a table that all processes of a worker share.

The table is anonymous shared memory from before the pool forks: the worker's main process writes,
its children read. Each field is eight aligned bytes, so that none is read half written.
"""

import mmap
import time
from dataclasses import dataclass
from struct import Struct
from typing import Final

from dutiful.database.replicas import REPLICA_MAX_LAG_MB, REPLICA_MAX_LAG_SECONDS, aliases

STALE: Final = 3.0
"""Seconds after which a measurement is too old: the replica counts as not answering."""
MB: Final = 1024 * 1024
ALIASES: Final = tuple(aliases())
MOST_BYTES: Final = REPLICA_MAX_LAG_MB.get() * MB
MOST_SECONDS: Final = REPLICA_MAX_LAG_SECONDS.get()

IDLE: Final = 30.0
"""Seconds without a question after which measuring stops."""

_LAYOUT: Final = Struct("=dQQd")
_REQUESTED: Final = Struct("=d")
_TABLE: Final = mmap.mmap(-1, len(ALIASES) * _LAYOUT.size + _REQUESTED.size)


@dataclass(frozen=True)
class ReplicaStatus:
    """The last measurement of one replica."""

    alias: str
    at: float = 0.0
    """When it was measured, by the monotonic clock that all processes of a machine share. 0: not
    yet; negative: it did not answer."""
    replayed: int = 0
    """The position in the write-ahead log that it has replayed."""
    behind_bytes: int = 0
    """Bytes of the write-ahead log from there to the primary's position."""
    behind_seconds: float = 0.0

    @property
    def answers(self) -> bool:
        return self.at > 0 and time.monotonic() - self.at <= STALE

    @property
    def within_limits(self) -> bool:
        """Whether it is not too far behind, in seconds and bytes."""
        return self.behind_seconds <= MOST_SECONDS and self.behind_bytes <= MOST_BYTES

    @property
    def usable(self) -> bool:
        return self.answers and self.within_limits


def record(found: ReplicaStatus) -> None:
    """Writes a measurement."""
    values = (found.at, found.replayed, found.behind_bytes, found.behind_seconds)
    _LAYOUT.pack_into(_TABLE, _place(found.alias), *values)


def record_down(alias: str) -> None:
    """Records that it did not answer: it is not usable until the next measurement."""
    record(ReplicaStatus(alias, -1.0))


def record_unknown(alias: str) -> None:
    """Records that it is not measured now."""
    record(ReplicaStatus(alias))


def request() -> None:
    """Asks for measurements, for the next IDLE seconds."""
    _REQUESTED.pack_into(_TABLE, len(ALIASES) * _LAYOUT.size, time.monotonic())


def requested() -> bool:
    """Whether measurements were asked for within the last IDLE seconds."""
    (at,) = _REQUESTED.unpack_from(_TABLE, len(ALIASES) * _LAYOUT.size)
    return bool(at) and time.monotonic() - float(at) < IDLE


def of(alias: str) -> ReplicaStatus:
    return ReplicaStatus(alias, *_LAYOUT.unpack_from(_TABLE, _place(alias)))


def each() -> list[ReplicaStatus]:
    """The status of all replicas, in the order of REPLICA_URLS."""
    return [of(alias) for alias in ALIASES]


def _place(alias: str) -> int:
    return ALIASES.index(alias) * _LAYOUT.size
