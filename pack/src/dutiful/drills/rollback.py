"""Drill `rollback`: orders are saved and their tasks enqueued in one transaction.

A third is committed, a third rolled back, and a third committed by a process that is killed with -9
right after. Stock's `delay()` publishes before the commit: `phantoms` are runs without an order.
Tuned uses `delay_on_commit()`, stock's answer, which loses what was committed and not yet sent.
"""

import sqlite3

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import OURS, THREADS, Contender, Counts, Drill
from dutiful.drills.tally import tally
from dutiful.drills.web import web

EACH, QUICK_EACH = 100, 10
WAIT = 60.0
TABLE = "drill_orders"


def play(arena: Arena, quick: bool) -> Counts:
    """A hundred of each (quick: ten)."""
    each = QUICK_EACH if quick else EACH
    arena.shorten(lease=5, visibility=10)
    enqueue = "delay_on_commit" if arena.contender.name == "tuned" else "delay"
    numbers = range(3 * each)
    with web(
        arena, DJANGO_SETTINGS_MODULE="dutiful.drills.host.settings", DRILL_ENQUEUE=enqueue
    ) as client:
        arena.start_workers()
        client.tell(
            transactions={
                "kill": list(numbers[:each]),
                "commit": list(numbers[each : 2 * each]),
                "rollback": list(numbers[2 * each :]),
            }
        )
        client.answer()
    orders = _orders(arena)
    # Until nothing more comes, phantoms neither: what a killed caller left is its own for 10 s.
    arena.settle(len(numbers), WAIT, quiet=15)
    counts = tally(arena, orders, kills=each, rollbacks=each)
    ran = {end.number for end in arena.ledger.ends()}
    counts.measured["phantoms"] = len(ran - orders)
    return counts


def _orders(arena: Arena) -> set[int]:
    """Those that are in the database."""
    with sqlite3.connect(arena.folder / "db.sqlite3") as database:
        return {number for (number,) in database.execute(f"SELECT number FROM {TABLE}")}  # noqa: S608


def kept(ours: Counts) -> bool:
    return ours.complete and ours.measured["phantoms"] == 0 and ours.twice == 0


DRILL = Drill(
    name="rollback",
    promise="a task runs if and only if its transaction was committed, kill -9 included",
    contenders=(
        Contender("stock", "dutiful.drills.stock", (THREADS,)),
        Contender("tuned", "dutiful.drills.tuned", (THREADS,)),
        Contender("ours", "dutiful.drills.host", (OURS[0],)),
    ),
    play=play,
    kept=kept,
)
