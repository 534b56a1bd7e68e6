"""Who holds what, as the broker has it: read only. Its keys:
dutiful/transport/redis/scripts/common.lua.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from kombu.utils.json import loads
from redis.exceptions import RedisError

from dutiful.transport.redis import host
from dutiful.transport.redis.lease_heartbeat import TICK_SECONDS


@dataclass(frozen=True)
class Lease:
    """One worker that claims from this broker."""

    owner: str
    worker: str
    pid: int
    host: str
    started: str
    left: float
    """Seconds until it runs out, unless it is renewed."""

    @property
    def alive_here(self) -> bool:
        """Whether its process runs on this host."""
        return self.host == host.here() and not host.gone(self.pid, self.started)


class Leases:
    """What the broker says now. Every method may raise OperationalError."""

    def __init__(self, channel: Any) -> None:
        self._line = channel.script_connection
        self._options = channel.options
        self._keys = channel.keys

    @property
    def look_seconds(self) -> float:
        """How often a worker looks for processes of its host that are gone."""
        return min(TICK_SECONDS, float(self._options.refresh_seconds))

    def all(self) -> list[Lease]:
        seconds, micros = self._line.command("TIME")
        now = int(seconds) + int(micros) / 1e6
        owners = self._keys.ours("owners")
        found = []
        for owner in self._line.command("ZRANGE", owners, 0, -1):
            # Not WITHSCORES: what that returns depends on the protocol's version.
            refreshed = self._line.command("ZSCORE", owners, owner) or 0
            left = float(refreshed) + self._options.lease_seconds - now
            raw = self._line.command("HGET", self._keys.ours(f"owner:{owner.decode()}"), "facts")
            facts = loads(raw) if raw else {}
            found.append(
                Lease(
                    owner.decode(),
                    str(facts.get("worker") or ""),
                    int(facts.get("pid") or 0),
                    str(facts.get("host") or ""),
                    str(facts.get("started") or ""),
                    max(0.0, left),
                )
            )
        return found

    def task_ids(self, owner: str) -> set[str]:
        """The tasks that this owner has claimed and not settled."""
        ids = self._line.command("HKEYS", self._keys.ours(f"held:{owner}"))
        stored = self._line.command("HMGET", self._keys.ours("messages"), *ids) if ids else []
        return {_task_id(raw) for raw in stored if raw}


def _task_id(raw: bytes) -> str:
    """Of a message; "" for what is no task."""
    try:
        return str(loads(raw.decode())["headers"]["id"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return ""


@contextmanager
def leases() -> Iterator[Leases]:
    """On a connection of its own, without tries. Raises OperationalError."""
    try:
        with current_app.connection_for_read() as connection:
            yield Leases(connection.channel())
    except (RedisError, OSError) as error:
        raise OperationalError(str(error)) from error
