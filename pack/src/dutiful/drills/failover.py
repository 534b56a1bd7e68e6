"""Drill `failover`: under a steady load of payments the primary is killed and started again; then
it is killed for good, and its replica promoted.

All three know both servers (DATABASE_URL with two hosts). The primary commits when its replica has
it (`synchronous_standby_names`): otherwise what it lacked would be lost with the primary, whoever
runs the tasks. Stock ends a payment that meets no database; tuned tries it again for minutes, and
so pays again what was committed just before the answer was lost. run, lost and twice count
payments. `recovery_seconds`: from the return of a server that takes writes to the end of the first
payment whose order was saved after it, the longer of the two.
"""

import time
from contextlib import suppress
from typing import Final

from dutiful.drills.arena import Arena
from dutiful.drills.census import DEAD, census
from dutiful.drills.ledger import Ledger
from dutiful.drills.orders import TABLE
from dutiful.drills.orders_shop import servers, shop
from dutiful.drills.replica import Replica
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.testing.postgres import QUICK, Postgres
from dutiful.testing.processes import wait_for

ORDERS, QUICK_ORDERS = 3_000, 300
PAUSE: Final = 0.03
"""Seconds from one order to the next."""
AWAY, QUICK_AWAY = 10.0, 3.0
"""Seconds without a database, each time."""
SOON: Final = 10.0
TASK: Final = "drills.pay_order"
WAIT, QUICK_WAIT = 240.0, 90.0
CERTAIN: Final = {**QUICK, "synchronous_commit": "on", "wal_retrieve_retry_interval": "500ms"}
"""A commit waits for the replica, which asks for its primary twice a second."""


def play(arena: Arena, quick: bool) -> Counts:
    """3,000 orders, ten seconds without a server each time (quick: 300, three)."""
    count, away = (QUICK_ORDERS, QUICK_AWAY) if quick else (ORDERS, AWAY)
    arena.environment["DRILL_PAUSE"] = str(PAUSE)
    with servers(arena, CERTAIN) as (primary, replica):
        both = f"127.0.0.1:{primary.port},127.0.0.1:{replica.port}"
        arena.environment["DATABASE_URL"] = (
            f"postgres://postgres@{both}/postgres?target_session_attrs=read-write"
        )
        with shop(arena, "dutiful.drills.orders") as client:
            primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.sql("SELECT pg_reload_conf()")
            client.begin((TASK, number, (), {}) for number in range(count))
            _paid(arena, count // 4)
            restarted = _restart(primary, away)
            arena.tell("the primary is back")
            _paid(arena, count // 2)
            promoted = _promote(primary, replica, away)
            arena.tell("the replica is the primary")
            client.finish()
            arena.settle(count, QUICK_WAIT if quick else WAIT, quiet=15)
        counts = _count(arena, replica, count)
    waits = [_first(arena.ledger, back) for back in (restarted, promoted)]
    if None not in waits:
        counts.recovery_seconds = max(wait for wait in waits if wait is not None)
    return counts


def _paid(arena: Arena, count: int) -> None:
    """Until so many are; or no longer than a minute: stock may have lost too many."""
    with suppress(AssertionError):
        wait_for("payments", lambda: arena.ledger.done() >= count, 60)


def _restart(primary: Postgres, away: float) -> float:
    """When it was back, by the clock of all."""
    primary.kill()
    time.sleep(away)
    primary.start()
    return time.time()


def _promote(primary: Postgres, replica: Replica, away: float) -> float:
    primary.kill()
    time.sleep(away)
    replica.promote()
    return time.time()


def _first(ledger: Ledger, back: float) -> float | None:
    """Seconds until the first end of what was saved after that; None where there was none."""
    later = {start.number for start in ledger.starts() if start.at - start.wait > back}
    ends = [end.at for end in ledger.ends() if end.number in later]
    return round(min(ends) - back, 1) if ends else None


def _count(arena: Arena, server: Postgres, count: int) -> Counts:
    paid = dict(server.sql(f"SELECT number, amount FROM {TABLE}"))  # noqa: S608  # our name
    with arena.redis as client:
        where = census(client)
    unpaid = {number for number in range(count) if not paid.get(number)}
    dead = {number for number in unpaid if where.get(number) == DEAD}
    return Counts(
        sent=count,
        run=count - len(unpaid),
        lost=len(unpaid - where.keys()),
        stuck=len(unpaid & where.keys() - dead),
        twice=sum(amount > 1 for amount in paid.values()),
        measured={"dead_letters": len(dead), "orders_gone": count - len(paid)},
    )


def kept(ours: Counts) -> bool:
    soon = ours.recovery_seconds is not None and ours.recovery_seconds <= SOON
    return ours.complete and ours.twice == 0 and soon and ours.measured["dead_letters"] == 0


DRILL = Drill(
    name="failover",
    promise=f"a database restarted, then its replica promoted: each pays once, in {SOON:g} s",
    play=play,
    kept=kept,
    contenders=contenders(stock=(THREADS,), ours=((*OURS[0], "-c", "30"),)),
)
