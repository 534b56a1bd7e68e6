"""The section of servers: the broker and the database."""

from dataclasses import dataclass

from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.snapshot.facts import Latency
from dutiful.monitoring.snapshot.replicas import Replica
from dutiful.monitoring.status import formatting
from dutiful.monitoring.status.formatting import UNKNOWN, State
from dutiful.monitoring.status.page_data import PageData


@dataclass(frozen=True)
class Server:
    name: str
    state: State
    address: str
    """Shown to staff only, as `why` is."""
    why: str
    figures: list[tuple[str, str]]


def of(data: PageData) -> list[Server]:
    return [_broker(data), _database(data)]


def _latency(found: Latency | None) -> str:
    if found is None:
        return UNKNOWN
    return f"{formatting.seconds(found.median)}, 99 % {formatting.seconds(found.p99)}"


def _broker(data: PageData) -> Server:
    server = data.snapshot.server
    bad = [
        data.findings[rule].text
        for rule in ("broker-persistence", "broker-memory")
        if rule in data.findings and data.findings[rule].bad
    ]
    if server.unreachable:
        state = State("bad", "Does not answer")
    elif bad or server.evictions:
        state = State("bad", "Has a problem")
        bad = bad or [
            f"It evicted {formatting.plural(server.evictions or 0, 'key')} since it started."
        ]
    else:
        state = State("ok", "Answers")
    limit = server.connections_limit
    share = f" ({server.memory_share:.0%})" if server.memory_share is not None else ""
    slow = server.slow_log[0] if server.slow_log else None
    figures = [
        ("Memory", f"{formatting.size(server.memory)} of {_limit(server.memory_limit)}{share}"),
        ("Round trip", _latency(server.ping)),
        *((f"Publish, {role}", _latency(each)) for role, each in sorted(server.publish.items())),
        ("Connections", _of(server.connections, limit)),
        ("Commands", formatting.rate(server.commands_per_second)),
        ("Evicted", formatting.count(server.evictions)),
        ("Persistence", server.persistence or UNKNOWN),
        ("Up for", span(server.uptime) if server.uptime is not None else UNKNOWN),
        ("Slow log", f"{formatting.seconds(slow.seconds)} {slow.command}" if slow else "empty"),
    ]
    return Server(
        name=f"Broker: {server.kind} {server.version}".rstrip(" :"),
        state=state,
        address=server.url,
        why=server.unreachable or " ".join(bad),
        figures=[] if server.unreachable else figures,
    )


def _limit(limit: int | None) -> str:
    return "no limit" if limit is None else formatting.size(limit)


def _of(used: int | None, limit: int | None) -> str:
    return formatting.count(used) + (f" of {limit:,}" if limit else "")


def _replica(one: Replica) -> str:
    if one.behind_seconds is None:
        return UNKNOWN if one.usable is None else "does not answer"
    return f"{formatting.seconds(one.behind_seconds)}, {formatting.size(one.behind_bytes)} behind"


def _database(data: PageData) -> Server:
    database, now = data.snapshot.database, data.snapshot.taken_at
    limit = database.connections.fullest if database.connections else None
    crowded = data.findings.get("database-connections")
    behind = [one for one in database.replicas if one.usable is False]
    if database.unreachable:
        state = State("bad", "Does not answer")
    elif crowded is not None and crowded.bad:
        state = State("warn", "Few connections are left")
    elif behind:
        state = State("warn", "A replica is not used")
    else:
        state = State("ok", "Answers")
    figures = [
        ("One query", formatting.seconds(database.latency)),
        ("Connections", _of(limit.used, limit.value) if limit else UNKNOWN),
        *((one.name.capitalize(), _replica(one)) for one in database.replicas),
        ("History until", formatting.ago(database.history_at, now)),
    ]
    return Server(
        name=f"Database: {database.vendor}".rstrip(" :"),
        state=state,
        address="",
        why=database.unreachable or data.why,
        figures=[] if database.unreachable else figures,
    )
