"""Rules about the servers: broker, database, outbox, and the channels of alerts."""

from typing import Final

from dutiful.monitoring.alerts.alert import Finding, Severity
from dutiful.monitoring.alerts.collected import Collected
from dutiful.monitoring.alerts.formatting import mebibytes, percent, span
from dutiful.monitoring.budget import plan

MEMORY: Final = 0.8
MEMORY_CRITICAL: Final = 0.95
CONNECTIONS: Final = 0.8
OUTBOX_SECONDS: Final = 60.0
"""An enqueue that is in the outbox for longer is an alert."""
LATELY: Final = 600.0


def broker_down(collected: Collected) -> list[Finding] | None:
    why = collected.snapshot.server.unreachable.rstrip(".")
    return [Finding(rule="broker-down", bad=bool(why), text=f"The broker does not answer: {why}.")]


def database_down(collected: Collected) -> list[Finding] | None:
    why = collected.snapshot.database.unreachable.rstrip(".")
    return [
        Finding(rule="database-down", bad=bool(why), text=f"The database does not answer: {why}.")
    ]


def broker_memory(collected: Collected) -> list[Finding] | None:
    server = collected.snapshot.server
    if server.unreachable or not server.memory or not server.memory_limit:
        return None
    share = server.memory / server.memory_limit
    return [
        Finding(
            rule="broker-memory",
            bad=share >= MEMORY,
            well=share < MEMORY - 0.05,
            value=round(share, 3),
            promise=MEMORY,
            unit="of maxmemory",
            severity=Severity.CRITICAL if share >= MEMORY_CRITICAL else None,
            text=f"The broker uses {mebibytes(server.memory)} of {mebibytes(server.memory_limit)}"
            f" ({percent(share)}); the limit is {percent(MEMORY)}. When it is full, enqueues go to"
            " the outbox and tasks without one are refused.",
        )
    ]


def broker_evictions(collected: Collected) -> list[Finding] | None:
    evicted = collected.counters.rise("evictions", LATELY)
    if collected.snapshot.server.unreachable or evicted is None:
        return None
    policy = collected.snapshot.server.eviction_policy
    return [
        Finding(
            rule="broker-evictions",
            bad=evicted > 0,
            value=evicted,
            promise=0,
            unit="keys",
            text=f"The broker evicted {evicted} keys in the last {span(LATELY)}; its policy is"
            f" {policy or 'not known'} and must be noeviction.",
            advice=("redis-cli CONFIG SET maxmemory-policy noeviction",),
        )
    ]


def broker_persistence(collected: Collected) -> list[Finding] | None:
    server = collected.snapshot.server
    if server.unreachable:
        return None
    return [
        Finding(
            rule="broker-persistence",
            bad=bool(server.persistence_error),
            text=f"The broker's last save failed ({server.persistence_error}): a restart would lose"
            " what it holds, and it may refuse writes.",
        )
    ]


def outbox_old(collected: Collected) -> list[Finding] | None:
    outbox = collected.snapshot.outbox
    if outbox.unreachable:
        return None
    oldest = outbox.oldest_seconds or 0.0
    return [
        Finding(
            rule="outbox-old",
            bad=oldest > OUTBOX_SECONDS,
            well=oldest < OUTBOX_SECONDS / 2,
            value=round(oldest, 1),
            promise=OUTBOX_SECONDS,
            unit="seconds",
            text=f"The oldest of {outbox.rows or 0} enqueues in the outbox waits for"
            f" {span(oldest)}; promised are {span(OUTBOX_SECONDS)}.",
        )
    ]


def database_connections(collected: Collected) -> list[Finding] | None:
    database = collected.snapshot.database
    limit = database.connections.fullest if database.connections else None
    if database.unreachable or database.connections is None or limit is None:
        return None
    share, live = limit.share, sorted(database.connections.live.items())
    whose = ", ".join(f"{kind} {count}" for kind, count in live) or "none of them the fleet's"
    return [
        Finding(
            rule="database-connections",
            bad=share >= CONNECTIONS,
            well=share < CONNECTIONS - 0.1,
            value=round(share, 3),
            promise=CONNECTIONS,
            unit="of all connections",
            text=f"{limit.used} of {limit.value} connections to the database ({limit.name}) are"
            f" taken ({percent(share)}): {whose}; the limit is {percent(CONNECTIONS)}.",
            advice=("manage.py connections",),
        )
    ]


def database_budget(collected: Collected) -> list[Finding] | None:
    database = collected.snapshot.database
    if database.unreachable or database.connections is None:
        return None
    planned = plan.budget({}, database.connections, collected.snapshot.workers)
    if planned.tightest is None:
        return None
    room = planned.tightest.room
    return [
        Finding(
            rule="database-budget",
            bad=bool(planned.lacks),
            value=planned.most,
            promise=room,
            unit="connections",
            text=f"The processes that run may open {planned.most} connections to the database, and"
            f" {room} fit ({planned.tightest.name}): at a busy time tasks and requests fail.",
            advice=("manage.py connections",),
        )
    ]


def channel_failing(collected: Collected) -> list[Finding] | None:
    return [
        Finding(
            rule="channel-failing",
            subject=name,
            bad=True,
            text=f"Alerts do not get through by {name}: {why}.",
        )
        for name, why in collected.failing_channels.items()
    ]
