"""The fleet's metrics, from one snapshot and the fleet's counters."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from dutiful.conf.queues import catalogue
from dutiful.monitoring.budget import plan
from dutiful.monitoring.fleet.store import Fleet
from dutiful.monitoring.metrics.families import counter, gauge, runs
from dutiful.monitoring.snapshot import Snapshot
from dutiful.monitoring.snapshot.facts import BeatEntry, Worker

START = "celery"
QUEUE, WORKER = ("queue",), ("worker", "profile")


def metrics(snapshot: Snapshot, fleet: Fleet | None) -> Iterator[Metric]:
    """A part that cannot be reached is left out, and its `_up` is 0."""
    yield from _queues(snapshot)
    yield from _workers(snapshot)
    yield from _server(snapshot)
    yield from _beat(snapshot)
    yield from _rest(snapshot)
    if fleet is not None:
        yield from runs(fleet, START)


def _queues(snapshot: Snapshot) -> Iterator[Metric]:
    each = snapshot.queues.each
    promised = [((queue.name,), queue.starts_within) for queue in catalogue()]
    yield gauge(
        f"{START}_queue_promise_seconds", "99 % of its tasks start within this.", QUEUE, promised
    )
    depths = [((q.name,), q.depth) for q in each]
    yield gauge(f"{START}_queue_depth", "Messages that may be claimed.", QUEUE, depths)
    ages = [((q.name,), (q.oldest_seconds or 0.0) if q.depth is not None else None) for q in each]
    yield gauge(
        f"{START}_queue_oldest_seconds",
        "How long its oldest message could have been claimed; 0: none waits.",
        QUEUE,
        ages,
    )
    in_flight = [((q.name,), q.in_flight) for q in each]
    yield gauge(f"{START}_queue_in_flight", "Claimed and not settled.", QUEUE, in_flight)
    delayed = [((q.name,), q.delayed) for q in each]
    yield gauge(f"{START}_queue_delayed", "Parked until they are due.", QUEUE, delayed)
    claimed = [((q.name,), q.claimed_total) for q in each]
    yield counter(f"{START}_queue_claims", "Messages that workers took.", QUEUE, claimed)
    back = [((q.name,), q.put_back_total) for q in each]
    yield counter(f"{START}_queue_put_back", "Claimed, and back on the queue.", QUEUE, back)
    acked = [((q.name,), q.acked_total) for q in each]
    yield counter(f"{START}_queue_acks", "Messages that were acknowledged.", QUEUE, acked)
    dead = [((q.name,), q.dead_total) for q in each]
    yield counter(f"{START}_queue_dead", "Messages that became dead letters.", QUEUE, dead)
    if not snapshot.workers.unreachable:
        serving = [((q.name,), len(snapshot.workers.serving(q.name))) for q in catalogue()]
        yield gauge(f"{START}_queue_workers", "Workers alive that consume it.", QUEUE, serving)


def _workers(snapshot: Snapshot) -> Iterator[Metric]:
    # After a restart there are two leases of one name for a moment: take the later one.
    found: dict[str, Worker] = {}
    for worker in sorted(snapshot.workers.each, key=lambda worker: -worker.lease_age):
        found[worker.name] = worker
    each = [((w.name, w.profile), w) for w in found.values()]
    slots = [(labels, w.slots) for labels, w in each]
    yield gauge(f"{START}_worker_slots", "Tasks that it may run at once.", WORKER, slots)
    busy = [(labels, w.busy) for labels, w in each]
    yield gauge(f"{START}_worker_busy", "Tasks that it runs.", WORKER, busy)
    memory = [(labels, w.memory) for labels, w in each]
    yield gauge(f"{START}_worker_memory_bytes", "Memory of all its processes.", WORKER, memory)
    leases = [(labels, w.lease_age) for labels, w in each]
    yield gauge(
        f"{START}_worker_lease_age_seconds", "Seconds since its last lease.", WORKER, leases
    )
    alive = [(labels, w.alive) for labels, w in each]
    yield gauge(f"{START}_worker_up", "Whether its lease is valid.", WORKER, alive)
    starts = [((profile,), number) for profile, number in snapshot.workers.starts.items()]
    yield gauge(f"{START}_worker_starts_hour", "Starts in the last hour.", ("profile",), starts)


def _server(snapshot: Snapshot) -> Iterator[Metric]:
    server = snapshot.server
    yield gauge(f"{START}_broker_up", "Whether it answers.", (), [((), not server.unreachable)])
    yield gauge(f"{START}_broker_memory_bytes", "Memory in use.", (), [((), server.memory)])
    yield gauge(f"{START}_broker_memory_limit_bytes", "maxmemory.", (), [((), server.memory_limit)])
    yield counter(f"{START}_broker_evictions", "Evicted keys.", (), [((), server.evictions)])
    yield gauge(f"{START}_broker_connections", "Connected clients.", (), [((), server.connections)])
    limit = server.connections_limit
    yield gauge(f"{START}_broker_connections_limit", "maxclients.", (), [((), limit)])
    failing = None if server.unreachable else bool(server.persistence_error)
    yield gauge(f"{START}_broker_persistence_failing", "Its last save failed.", (), [((), failing)])
    median, p99 = (server.ping.median, server.ping.p99) if server.ping else (None, None)
    yield gauge(
        f"{START}_broker_ping_median_seconds",
        "Median round trip of this process.",
        (),
        [((), median)],
    )
    yield gauge(
        f"{START}_broker_ping_most_seconds",
        "99 % of the round trips took at most this.",
        (),
        [((), p99)],
    )


def _beat(snapshot: Snapshot) -> Iterator[Metric]:
    beat = snapshot.beat
    leads = None if beat.leader_unreachable or not beat.installed else bool(beat.leader)
    yield gauge(f"{START}_beat_up", "Whether one holds the lease.", (), [((), leads)])
    overdue = [((entry.name,), entry.overdue_seconds) for entry in beat.entries]
    yield gauge(
        f"{START}_beat_overdue_seconds",
        "Seconds since its next time passed without a tick.",
        ("entry",),
        overdue,
    )
    ages = [((e.queue,), _age(e, snapshot)) for e in beat.entries if e.queue]
    yield gauge(
        f"{START}_heartbeat_age_seconds",
        "Seconds since one arrived through beat and worker.",
        QUEUE,
        ages,
    )
    yield gauge(
        f"{START}_beat_ticks_missed_day", "Ticks missed in the last day.", (), [((), beat.missed)]
    )


def _age(entry: BeatEntry, snapshot: Snapshot) -> float | None:
    return None if entry.ran_at is None or entry.paused else snapshot.taken_at - entry.ran_at


def _connections(snapshot: Snapshot) -> Iterator[Metric]:
    seen = snapshot.database.connections
    if seen is None or seen.fullest is None:
        return
    used, limit = seen.fullest.used, seen.fullest.value
    yield gauge(
        f"{START}_database_connections",
        "Connections that count against the fullest limit.",
        (),
        [((), used)],
    )
    yield gauge(f"{START}_database_connections_limit", "The fullest limit.", (), [((), limit)])
    yield gauge(
        f"{START}_database_process_connections",
        "Connections by line of the Procfile.",
        ("process",),
        [((kind,), count) for kind, count in sorted(seen.live.items())],
    )
    planned = plan.budget({}, seen, snapshot.workers)
    yield gauge(
        f"{START}_database_connections_most",
        "Connections that the running processes may open, with the reserve.",
        (),
        [((), planned.most)],
    )
    room = planned.tightest.room if planned.tightest else None
    yield gauge(
        f"{START}_database_connections_room",
        "Connections of the limit that others leave.",
        (),
        [((), room)],
    )


def _rest(snapshot: Snapshot) -> Iterator[Metric]:
    outbox, letters, database = snapshot.outbox, snapshot.dead_letters, snapshot.database
    yield gauge(f"{START}_outbox_rows", "Enqueues in the outbox.", (), [((), outbox.rows)])
    oldest = None if outbox.rows is None else outbox.oldest_seconds or 0.0
    yield gauge(f"{START}_outbox_oldest_seconds", "Age of the oldest of them.", (), [((), oldest)])
    yield gauge(
        f"{START}_dead_letters_open", "In the database, not dealt with.", (), [((), letters.stored)]
    )
    yield gauge(
        f"{START}_dead_letters_stream", "In the broker, not collected.", (), [((), letters.stream)]
    )
    up = not database.unreachable
    yield gauge(f"{START}_database_up", "Whether it answers.", (), [((), up)])
    yield from _connections(snapshot)
    each = [((one.name,), one) for one in database.replicas]
    usable = [(labels, one.usable) for labels, one in each]
    yield gauge(f"{START}_replica_usable", "Whether it is read from.", ("replica",), usable)
    seconds = [(labels, one.behind_seconds) for labels, one in each]
    yield gauge(f"{START}_replica_lag_seconds", "Behind its primary.", ("replica",), seconds)
    lacks = [(labels, one.behind_bytes) for labels, one in each]
    yield gauge(f"{START}_replica_lag_bytes", "Not replayed yet.", ("replica",), lacks)
    yield gauge(
        f"{START}_snapshot_seconds", "Seconds that this snapshot took.", (), [((), snapshot.took)]
    )
