"""Drill `failover`: under a steady load of payments the primary is killed and started again; then
it is killed for good, and its replica promoted.

All three systems know both servers (DATABASE_URL with two hosts). A commit waits for the replica
(`synchronous_standby_names`), since otherwise commits would be lost with the primary on every
system. Stock Celery gives up a payment when the database does not answer; tuned retries it for
minutes, and so repeats a payment whose commit succeeded before the answer was lost. run, lost and
twice count payments. `recovery_seconds` is the longer of two times, each from the return of a
writable server to the end of the first payment whose order was saved after that.
"""

import time
from contextlib import suppress
from typing import Final

from dutiful.drills.broker_state import DEAD, locate_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.orders.fixture import servers, started
from dutiful.drills.orders.model import TABLE
from dutiful.drills.record.read import RunRecord
from dutiful.drills.systems import OURS, THREADS, systems
from dutiful.testing.postgres import QUICK, Postgres
from dutiful.testing.processes import wait_for
from dutiful.testing.replica import Replica

ORDERS, QUICK_ORDERS = 3_000, 300
PAUSE: Final = 0.03
"""Seconds from one order to the next."""
DOWN, QUICK_DOWN = 10.0, 3.0
"""Seconds without a database, each time."""
SOON: Final = 10.0
TASK: Final = "drills.pay_order"
WAIT, QUICK_WAIT = 240.0, 90.0
CERTAIN: Final = {**QUICK, "synchronous_commit": "on", "wal_retrieve_retry_interval": "500ms"}
"""A commit waits for the replica, which tries to reconnect twice a second."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Saves 3,000 orders; the server is down for 10 s each time (quick: 300 orders, 3 s)."""
    count, down = (QUICK_ORDERS, QUICK_DOWN) if quick else (ORDERS, DOWN)
    deployment.environment["DRILL_PAUSE"] = str(PAUSE)
    with servers(deployment, CERTAIN) as (primary, replica):
        both = f"127.0.0.1:{primary.port},127.0.0.1:{replica.port}"
        deployment.environment["DATABASE_URL"] = (
            f"postgres://postgres@{both}/postgres?target_session_attrs=read-write"
        )
        with started(deployment) as client:
            primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.sql("SELECT pg_reload_conf()")
            client.begin((TASK, number, (), {}) for number in range(count))
            _paid(deployment, count // 4)
            restarted = _restart(primary, down)
            deployment.report("the primary is back")
            _paid(deployment, count // 2)
            promoted = _promote(primary, replica, down)
            deployment.report("the replica is the primary")
            client.finish()
            deployment.wait_until_done(count, QUICK_WAIT if quick else WAIT, quiet=15)
        counts = _count(deployment, replica, count)
    waits = [_first(deployment.record, back) for back in (restarted, promoted)]
    if None not in waits:
        counts.recovery_seconds = max(wait for wait in waits if wait is not None)
    return counts


def _paid(deployment: Deployment, count: int) -> None:
    """Waits until `count` are paid, at most a minute: stock Celery may have lost too many."""
    with suppress(AssertionError):
        wait_for("payments", lambda: deployment.record.done() >= count, 60)


def _restart(primary: Postgres, down: float) -> float:
    """Kills and starts the primary; returns the epoch second of its return."""
    primary.kill()
    time.sleep(down)
    primary.start()
    return time.time()


def _promote(primary: Postgres, replica: Replica, down: float) -> float:
    """Kills the primary and promotes the replica; returns the epoch second of the promotion."""
    primary.kill()
    time.sleep(down)
    replica.promote()
    return time.time()


def _first(record: RunRecord, back: float) -> float | None:
    """Returns the seconds from `back` to the first payment of a later order, or None."""
    later = {start.number for start in record.starts() if start.at - start.wait > back}
    ends = [end.at for end in record.ends() if end.number in later]
    return round(min(ends) - back, 1) if ends else None


def _count(deployment: Deployment, server: Postgres, count: int) -> Counts:
    paid = dict(server.sql(f"SELECT number, amount FROM {TABLE}"))  # noqa: S608  # our name
    with deployment.redis as client:
        where = locate_tasks(client)
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
    run=run,
    kept=kept,
    systems=systems(stock=(THREADS,), ours=((*OURS[0], "-c", "30"),)),
)
