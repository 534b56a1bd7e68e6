"""The broker's word on itself: INFO, its slow log, and how long its answers take."""

import time
from collections import deque
from typing import Any, Final

import redis

from dutiful.monitoring.snapshot.facts import Latency, Server, Slow

SECTIONS: Final = ("server", "clients", "memory", "persistence", "stats", "replication")
SLOW_LINES: Final = 5
PINGS: Final = 300
"""Round trips that the median is made of."""


class Pings:
    """How long this process's last round trips took."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=PINGS)
        self.errors = 0

    def measure(self, client: redis.Redis) -> None:
        """One more. Raises redis errors, counted."""
        began = time.perf_counter()
        try:
            client.ping()
        except (redis.RedisError, OSError):
            self.errors += 1
            raise
        self._seconds.append(time.perf_counter() - began)

    def latency(self) -> Latency | None:
        told = sorted(self._seconds)
        if not told:
            return None
        return Latency(
            count=len(told),
            median=told[len(told) // 2],
            p99=told[min(len(told) - 1, int(len(told) * 0.99))],
            errors=self.errors,
        )


def ask(pipe: Any) -> None:
    """Three commands. An ACL may refuse some of them: each reply is judged alone."""
    pipe.execute_command("INFO", *SECTIONS)
    pipe.execute_command("SLOWLOG", "GET", SLOW_LINES)
    pipe.execute_command("SLOWLOG", "LEN")


def read(replies: list[Any], **known: Any) -> Server:
    """What `ask` brought; `known` are fields that others measured."""
    info, slow, length = replies
    told: dict[str, Any] = info if isinstance(info, dict) else {}
    limit = told.get("maxmemory") or None
    used = told.get("used_memory")
    counted = None if used is None else used - (told.get("mem_not_counted_for_evict") or 0)
    return Server(
        kind=str(told.get("server_name") or ("redis" if told else "")),
        version=str(told.get("valkey_version") or told.get("redis_version") or ""),
        role=str(told.get("role") or ""),
        memory=used,
        memory_limit=limit,
        memory_share=counted / limit if limit and counted is not None else None,
        evictions=told.get("evicted_keys"),
        eviction_policy=str(told.get("maxmemory_policy") or ""),
        persistence=_persistence(told),
        persistence_error=_trouble(told),
        connections=told.get("connected_clients"),
        connections_limit=told.get("maxclients"),
        connections_rejected=told.get("rejected_connections"),
        commands_per_second=told.get("instantaneous_ops_per_sec"),
        uptime=told.get("uptime_in_seconds"),
        slow_log=_slow(slow),
        slow_log_length=length if isinstance(length, int) else None,
        **known,
    )


def _persistence(told: dict[str, Any]) -> str:
    """RDB shows in INFO only once it has saved or is to: `save ""` tells no change."""
    if not told:
        return ""
    return "aof" if told.get("aof_enabled") else "rdb or none"


def _trouble(told: dict[str, Any]) -> str:
    names = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
    bad = [name for name in names if told.get(name) == "err"]
    if told.get("aof_enabled") == 0:
        bad = [name for name in bad if not name.startswith("aof")]
    return ", ".join(f"{name}: err" for name in bad)


def _slow(lines: Any) -> tuple[Slow, ...]:
    if not isinstance(lines, list):
        return ()
    return tuple(
        Slow(
            at=float(line["start_time"]),
            seconds=line["duration"] / 1e6,
            command=b" ".join(line["command"].split()[:2])[:80].decode(errors="replace"),
        )
        for line in lines
        if isinstance(line, dict)
    )
