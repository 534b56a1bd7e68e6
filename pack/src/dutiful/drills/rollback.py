"""Drill `rollback`: orders are saved and their tasks enqueued in one transaction.

A third is committed, a third rolled back, and a third committed by a process that is killed with -9
right after the commit. Stock Celery's `delay()` publishes before the commit: `phantoms` counts runs
without an order. Tuned uses Celery's `delay_on_commit()`, which loses what was committed and not
yet sent.
"""

import sqlite3

from dutiful.drills.clients.web import web
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import OURS, THREADS, System

EACH, QUICK_EACH = 100, 10
WAIT = 60.0
TABLE = "drill_orders"


def run(deployment: Deployment, quick: bool) -> Counts:
    """Runs a hundred transactions of each kind (quick: ten)."""
    each = QUICK_EACH if quick else EACH
    deployment.shorten(lease=5, visibility=10)
    enqueue = "delay_on_commit" if deployment.system.name == "tuned" else "delay"
    numbers = range(3 * each)
    with web(
        deployment, DJANGO_SETTINGS_MODULE="dutiful.drills.host.settings", DRILL_ENQUEUE=enqueue
    ) as client:
        deployment.start_workers()
        client.command(
            transactions={
                "kill": list(numbers[:each]),
                "commit": list(numbers[each : 2 * each]),
                "rollback": list(numbers[2 * each :]),
            }
        )
        client.answer()
    orders = _orders(deployment)
    # Phantoms may come late: the relay takes over the rows of a killed process after 10 s.
    deployment.wait_until_done(len(numbers), WAIT, quiet=15)
    counts = count_tasks(deployment, orders, kills=each, rollbacks=each)
    ran = {end.number for end in deployment.record.ends()}
    counts.measured["phantoms"] = len(ran - orders)
    return counts


def _orders(deployment: Deployment) -> set[int]:
    """Returns the orders that are in the database."""
    with sqlite3.connect(deployment.folder / "db.sqlite3") as database:
        return {number for (number,) in database.execute(f"SELECT number FROM {TABLE}")}  # noqa: S608


def kept(ours: Counts) -> bool:
    return ours.complete and ours.measured["phantoms"] == 0 and ours.twice == 0


DRILL = Drill(
    name="rollback",
    promise="a task runs if and only if its transaction was committed, kill -9 included",
    systems=(
        System("stock", "dutiful.drills.stock.plain", (THREADS,)),
        System("tuned", "dutiful.drills.stock.tuned", (THREADS,)),
        System("ours", "dutiful.drills.host", (OURS[0],)),
    ),
    run=run,
    kept=kept,
)
