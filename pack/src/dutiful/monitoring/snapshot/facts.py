"""The types of a snapshot: plain data, JSON by `dataclasses.asdict`.

Times are epoch seconds, durations seconds, sizes bytes. None means that it cannot be known (a stock
transport keeps no counters, RabbitMQ shows none of it). A part that did not answer says why in
`unreachable`, and is empty.
"""

from dataclasses import dataclass, field

from dutiful.monitoring.budget.sums import Measured
from dutiful.monitoring.snapshot.replicas import Replica


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the snapshot; it fails without the others."""

    unreachable: str = ""
    """Why it could not be read; "" where it answered."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One queue of the catalogue, all its priorities together."""

    name: str
    depth: int | None = None
    """Messages that may be claimed now."""
    oldest_seconds: float | None = None
    """Seconds since its oldest message could have started; None: none waits, or has no stamp."""
    arrivals: float | None = None
    """Messages a second that became eligible, lately."""
    departures: float | None = None
    """Messages a second that workers took for good, lately."""
    in_flight: int | None = None
    """Messages claimed and not settled, as its workers reported a few seconds ago."""
    delayed: int | None = None
    """Messages parked until an eta, the end of a pause or an isolated run (docs/transport.md)."""
    dead: int | None = None
    """Dead letters that are open."""
    claimed_total: int | None = None
    """A counter, as the next three, that starts again from 0 with the broker's data."""
    put_back_total: int | None = None
    """Claimed and put back on the queue, by a drain, a crash or a pause."""
    acked_total: int | None = None
    dead_total: int | None = None


@dataclass(frozen=True, kw_only=True)
class Queues(Part):
    each: tuple[Queue, ...] = ()
    """In the catalogue's order."""
    rates_seconds: float | None = None
    """The duration over which arrivals and departures were measured."""

    def named(self, name: str) -> Queue | None:
        return next((queue for queue in self.each if queue.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker, by its lease."""

    name: str
    id: str
    """The id of its lease, which changes with each restart."""
    profile: str = ""
    pool: str = ""
    queues: tuple[str, ...] = ()
    """What it consumes now; empty until it has reported it."""
    slots: int | None = None
    busy: int | None = None
    held: int = 0
    """Messages that it has claimed and not settled."""
    memory: int | None = None
    memory_limit: int | None = None
    lease_age: float = 0.0
    """Seconds since it last refreshed its lease, by the broker's clock."""
    alive: bool = True
    """Whether its lease is valid."""
    draining: bool = False
    started_at: float | None = None
    restarts: int | None = None
    """Starts of a worker of this name in the last hour, without the first."""
    task: str = ""
    """The task that made its memory grow most."""


@dataclass(frozen=True, kw_only=True)
class Workers(Part):
    each: tuple[Worker, ...] = ()
    lease_seconds: float = 0.0
    starts: dict[str, int] = field(default_factory=dict)
    """By profile: starts in the last hour."""

    lost_total: int = 0
    """A counter of workers whose lease expired or whose process was gone, without clean stops."""

    def serving(self, queue: str) -> list[Worker]:
        """Workers that are alive and consume it."""
        return [each for each in self.each if each.alive and queue in each.queues]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The latency of a number of round trips, in seconds."""

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
    """The command and its key or script, never a message."""


@dataclass(frozen=True, kw_only=True)
class Server(Part):
    """The broker."""

    url: str = ""
    """Without its password."""
    kind: str = ""
    """redis, valkey, rabbitmq."""
    version: str = ""
    transport: str = ""
    """ours, stock, or "" where neither is in use."""
    role: str = ""
    """master, replica."""
    memory: int | None = None
    memory_limit: int | None = None
    """maxmemory; None where it has no limit or does not show it."""
    memory_share: float | None = None
    evictions: int | None = None
    """Keys evicted since the server started: tasks may be among them."""
    eviction_policy: str = ""
    persistence: str = ""
    """aof, rdb, both, none."""
    persistence_error: str = ""
    """The state of its last save or append, where it failed."""
    connections: int | None = None
    connections_limit: int | None = None
    connections_rejected: int | None = None
    commands_per_second: float | None = None
    uptime: float | None = None
    ping: Latency | None = None
    """The last few hundred round trips of this process."""
    publish: dict[str, Latency] = field(default_factory=dict)
    """By role (web, beat, worker): how long recent publishes took."""
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
    """Whether the database keeps them; the broker's stream exists in any case."""
    stream: int | None = None
    """How many are in the broker, not collected yet."""
    stream_oldest_seconds: float | None = None
    stored: int | None = None
    """How many are open in the database."""
    by_reason: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BeatEntry:
    """One entry of the schedule."""

    name: str
    task: str
    queue: str = ""
    """Heartbeats only: the queue that it goes through."""
    paused: bool = False
    due_at: float | None = None
    """The last scheduled time that beat ticked."""
    sent_at: float | None = None
    ran_at: float | None = None
    """Heartbeats only."""
    state: str = ""
    """The state of its last tick: pending, sent, missed."""
    error: str = ""
    next_at: float | None = None
    overdue_seconds: float = 0.0
    """Seconds since its next time passed without a tick."""


@dataclass(frozen=True, kw_only=True)
class Beat(Part):
    installed: bool = True
    leader: str = ""
    """host/pid/… of the beat that leads; "" where none does."""
    leader_unreachable: str = ""
    entries: tuple[BeatEntry, ...] = ()
    pending: int | None = None
    """Ticks that are due and not published."""
    missed: int | None = None
    """Ticks of the last day that were missed."""


@dataclass(frozen=True, kw_only=True)
class Database(Part):
    vendor: str = ""
    connections: Measured | None = None
    """Its connections and limits; None where it was not asked."""
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
        """The parts that could not be read, by name, and why."""
        parts = ("queues", "workers", "server", "outbox", "dead_letters", "beat", "database")
        found = {name: getattr(self, name).unreachable for name in parts}
        return {name: why for name, why in found.items() if why}
