"""Snapshots made by hand: a fleet where all is well, and what a test changes of it."""

from dataclasses import replace
from typing import Any

from dutiful.catalogue.defaults import PROFILES
from dutiful.conf.queues import catalogue
from dutiful.monitoring.alerts.collected import Collected, Counters
from dutiful.monitoring.budget.sums import Limit, Measured
from dutiful.monitoring.slo.starts import Starts
from dutiful.monitoring.snapshot import facts

NOW = 1_800_000_000.0


def snapshot(**parts: Any) -> facts.Snapshot:
    """A fleet at rest: a worker of each profile, beat ticking, heartbeats arriving."""
    workers = tuple(
        facts.Worker(
            name=f"{profile.name}@here",
            id=profile.name,
            profile=profile.name,
            queues=profile.queue_names,
            slots=profile.slots,
        )
        for profile in PROFILES["standard"]
    )
    entries = tuple(
        facts.BeatEntry(
            name=f"heartbeat-{queue.name}",
            task="dutiful.beat.heartbeat",
            queue=queue.name,
            due_at=NOW - 30,
            sent_at=NOW - 30,
            ran_at=NOW - 29,
            state="sent",
        )
        for queue in catalogue()
    )
    usual: dict[str, Any] = {
        "queues": facts.Queues(
            each=tuple(
                facts.Queue(name=queue.name, depth=0, arrivals=1.0, departures=1.0, dead_total=0)
                for queue in catalogue()
            )
        ),
        "workers": facts.Workers(each=workers, starts={"io": 1, "compute": 1}),
        "server": facts.Server(
            memory=10, memory_limit=100, evictions=0, eviction_policy="noeviction"
        ),
        "outbox": facts.Outbox(rows=0),
        "dead_letters": facts.DeadLetters(),
        "beat": facts.Beat(leader="host/1", entries=entries, missed=0),
        "database": facts.Database(vendor="postgresql", connections=taken(5)),
    }
    return facts.Snapshot(taken_at=NOW, took=0.01, **{**usual, **parts})


def taken(used: int, limit: int = 100, **more: int) -> Measured:
    """So many connections of the database's, `more` of them by kind of process."""
    return Measured((Limit("max_connections", limit, used, used - sum(more.values())),), more)


def queue(name: str, **changes: Any) -> facts.Queues:
    """The queues, with one of them changed."""
    queues = snapshot().queues
    each = tuple(replace(q, **changes) if q.name == name else q for q in queues.each)
    return replace(queues, each=each)


def beat(name: str = "", **changes: Any) -> facts.Beat:
    """Beat, with the entries (of that queue, or all) changed."""
    seen = snapshot().beat
    each = tuple(replace(e, **changes) if name in ("", e.queue) else e for e in seen.entries)
    return replace(seen, entries=each)


def collected(seen: facts.Snapshot | None = None, **changes: Any) -> Collected:
    usual: dict[str, Any] = {
        "now": NOW,
        "snapshot": seen or snapshot(),
        "starts": Starts(),
        "counters": Counters(),
        "since": NOW - 7200,
    }
    return Collected(**{**usual, **changes})
