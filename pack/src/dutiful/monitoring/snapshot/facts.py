"""What a snapshot holds. Plain data, JSON by `dataclasses.asdict`.

Times are epoch seconds, spans seconds, sizes bytes. None means that it cannot be known here (a
stock transport keeps no counters, RabbitMQ tells none of it); a part that did not answer says why
in `unreachable`, and is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dutiful.monitoring.budget.sums import Measured
from dutiful.monitoring.snapshot.replicas import Replica


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the snapshot. Each fails alone."""

    unreachable: str = ""
    """Why nothing is known of it now; "" where it answered."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One queue of the catalogue, all its priorities together."""

    name: str
    depth: int | None = None
    """Messages that may be claimed now."""
    oldest_seconds: float | None = None
    """How long the one that waits longest could have started; None: nothing waits, or no stamp."""
    arrivals: float | None = None
    """Messages a second that became eligible, lately."""
    departures: float | None = None
    """Messages a second that workers took for good, lately."""
    in_flight: int | None = None
    """Claimed and not settled, as its workers told a few seconds ago."""
    delayed: int | None = None
    """Parked until an eta, the end of a pause, or a hearing (docs/transport.md)."""
    dead: int | None = None
    """Dead letters that nobody has dealt with."""
    claimed_total: int | None = None
    """Ever, as the next three. Counters start anew with the broker's data."""
    put_back_total: int | None = None
    """Claimed, and back on the queue: a drain, a crash, a pause."""
    acked_total: int | None = None
    dead_total: int | None = None


@dataclass(frozen=True, kw_only=True)
class Queues(Part):
    each: tuple[Queue, ...] = ()
    """In the catalogue's order."""
    rates_seconds: float | None = None
    """The span that arrivals and departures were measured over."""

    def named(self, name: str) -> Queue | None:
        return next((queue for queue in self.each if queue.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker process's lease."""

    name: str
    id: str
    """Of its lease: another one after each restart."""
    profile: str = ""
    pool: str = ""
    queues: tuple[str, ...] = ()
    """What it consumes now; empty where it has not said so yet."""
    slots: int | None = None
    busy: int | None = None
    held: int = 0
    """Messages that it has claimed and not settled."""
    memory: int | None = None
    memory_limit: int | None = None
    lease_age: float = 0.0
    """Seconds since it was heard of last, by the broker's clock."""
    alive: bool = True
    """Whether its lease still holds."""
    draining: bool = False
    started_at: float | None = None
    restarts: int | None = None
    """Starts of a worker of this name in the last hour, but the first."""
    task: str = ""
    """The task seen growing its memory the most."""


@dataclass(frozen=True, kw_only=True)
class Workers(Part):
    each: tuple[Worker, ...] = ()
    lease_seconds: float = 0.0
    starts: dict[str, int] = field(default_factory=dict)
    """By profile: starts in the last hour."""

    lost_total: int = 0
    """Workers whose lease ran out or whose process was gone, ever; a clean stop is none."""

    def serving(self, queue: str) -> list[Worker]:
        """Workers that are alive and consume it."""
        return [each for each in self.each if each.alive and queue in each.queues]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Of a number of round trips."""

    count: int
    median: float
    p99: float
    errors: int = 0


@dataclass(frozen=True, kw_only=True)
class Slow:
    """One line of the slow log."""

    at: float
    seconds: float
    command: str
    """Its first word, and its key or script: never a message."""


@dataclass(frozen=True, kw_only=True)
class Server(Part):
    """The broker."""

    url: str = ""
    """Without its password."""
    kind: str = ""
    """redis, valkey, rabbitmq."""
    version: str = ""
    transport: str = ""
    """ours, stock, or "" where there is none of either."""
    role: str = ""
    """master, replica."""
    memory: int | None = None
    memory_limit: int | None = None
    """maxmemory; None where it has no limit or does not tell."""
    memory_share: float | None = None
    evictions: int | None = None
    """Keys evicted since the server started: tasks may be among them."""
    eviction_policy: str = ""
    persistence: str = ""
    """aof, rdb, both, none."""
    persistence_error: str = ""
    """What its last save or append said, where it failed."""
    connections: int | None = None
    connections_limit: int | None = None
    connections_rejected: int | None = None
    commands_per_second: float | None = None
    uptime: float | None = None
    ping: Latency | None = None
    """Round trips of this process, the last few hundred."""
    publish: dict[str, Latency] = field(default_factory=dict)
    """By role (web, beat, worker, other): how long a publish took where it happened, lately."""
    slow_log: tuple[Slow, ...] = ()
    slow_log_length: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outbox(Part):
    installed: bool = True
    rows: int | None = None
    oldest_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class DeadLetters(Part):
    installed: bool = True
    """Whether the database keeps them; the broker's stream is there anyhow."""
    stream: int | None = None
    """In the broker, not collected yet."""
    stream_oldest_seconds: float | None = None
    stored: int | None = None
    """In the database, not dealt with."""
    by_reason: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BeatEntry:
    """One line of beat/schedule.py."""

    name: str
    task: str
    queue: str = ""
    """Heartbeats only: the queue that this one proves."""
    paused: bool = False
    due_at: float | None = None
    """Its last scheduled time that beat ticked."""
    sent_at: float | None = None
    ran_at: float | None = None
    """Heartbeats only."""
    state: str = ""
    """Of its last tick: pending, sent, missed."""
    error: str = ""
    next_at: float | None = None
    overdue_seconds: float = 0.0
    """How long its next time has passed without a tick."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What the Redis that beats share knows of them."""

    leader: str = ""
    """host/pid/… of the one that leads; "" where none does."""
    last: Mapping[str, datetime] = field(default_factory=dict)
    """By entry: its last scheduled time that was ticked."""
    paused: frozenset[str] = frozenset()
    unreachable: str = ""


@dataclass(frozen=True, kw_only=True)
class Beat(Part):
    installed: bool = True
    leader: str = ""
    """host/pid/… of the beat that leads; "" where none does."""
    leader_unreachable: str = ""
    entries: tuple[BeatEntry, ...] = ()
    pending: int | None = None
    """Ticks that are owed and not published."""
    missed: int | None = None
    """Ticks of the last day that were missed."""


@dataclass(frozen=True, kw_only=True)
class Database(Part):
    vendor: str = ""
    connections: Measured | None = None
    """Its connections, and what it gives; None where it was not asked."""
    latency: float | None = None
    """Seconds of one small query."""
    replicas: tuple[Replica, ...] = ()
    history_at: float | None = None
    """The newest minute of the history."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything, at one moment."""

    taken_at: float
    took: float
    """Seconds."""
    queues: Queues
    workers: Workers
    server: Server
    outbox: Outbox
    dead_letters: DeadLetters
    beat: Beat
    database: Database

    @property
    def unreachable(self) -> dict[str, str]:
        """By the name of the part: why it is empty."""
        parts = ("queues", "workers", "server", "outbox", "dead_letters", "beat", "database")
        found = {name: getattr(self, name).unreachable for name in parts}
        return {name: why for name, why in found.items() if why}
