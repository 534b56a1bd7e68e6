"""The part `server`: INFO, the slow log, and how long the broker's answers take."""

import time
from collections import deque
from typing import Any, Final

import redis

from dutiful.monitoring.snapshot.facts import Latency, Server, Slow

SECTIONS: Final = ("server", "clients", "memory", "persistence", "stats", "replication")
SLOW_LINES: Final = 5
PINGS: Final = 300
"""Round trips over which the median is computed."""


class Pings:
    """The last round trips of this process."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=PINGS)
        self.errors = 0

    def measure(self, client: redis.Redis) -> None:
        """Measures one more. Counts and raises redis errors."""
        began = time.perf_counter()
        try:
            client.ping()
        except (redis.RedisError, OSError):
            self.errors += 1
            raise
        self._seconds.append(time.perf_counter() - began)

    def latency(self) -> Latency | None:
        seconds = sorted(self._seconds)
        if not seconds:
            return None
        return Latency(
            count=len(seconds),
            median=seconds[len(seconds) // 2],
            p99=seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))],
            errors=self.errors,
        )


def ask(pipe: Any) -> None:
    """Adds three commands. An ACL may refuse any of them."""
    pipe.execute_command("INFO", *SECTIONS)
    pipe.execute_command("SLOWLOG", "GET", SLOW_LINES)
    pipe.execute_command("SLOWLOG", "LEN")


def read(replies: list[Any], **known: Any) -> Server:
    """From the replies to `ask`; `known` are fields that are measured elsewhere."""
    info, slow, length = replies
    values: dict[str, Any] = info if isinstance(info, dict) else {}
    limit = values.get("maxmemory") or None
    used = values.get("used_memory")
    counted = None if used is None else used - (values.get("mem_not_counted_for_evict") or 0)
    return Server(
        kind=str(values.get("server_name") or ("redis" if values else "")),
        version=str(values.get("valkey_version") or values.get("redis_version") or ""),
        role=str(values.get("role") or ""),
        memory=used,
        memory_limit=limit,
        memory_share=counted / limit if limit and counted is not None else None,
        evictions=values.get("evicted_keys"),
        eviction_policy=str(values.get("maxmemory_policy") or ""),
        persistence=_persistence(values),
        persistence_error=_failed_saves(values),
        connections=values.get("connected_clients"),
        connections_limit=values.get("maxclients"),
        connections_rejected=values.get("rejected_connections"),
        commands_per_second=values.get("instantaneous_ops_per_sec"),
        uptime=values.get("uptime_in_seconds"),
        slow_log=_slow(slow),
        slow_log_length=length if isinstance(length, int) else None,
        **known,
    )


def _persistence(values: dict[str, Any]) -> str:
    """INFO does not show whether RDB is on before it has saved once."""
    if not values:
        return ""
    return "aof" if values.get("aof_enabled") else "rdb or none"


def _failed_saves(values: dict[str, Any]) -> str:
    names = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
    bad = [name for name in names if values.get(name) == "err"]
    if values.get("aof_enabled") == 0:
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
