"""Drill `lag`: orders are saved and their tasks read them, with a replica that is 5 s behind.

Stock and tuned have the database router of Django's manual, which reads from the replica; tuned
also gives each task a countdown of two seconds, as one does who has seen this before. `stale` are
reads that did not find the order that was saved before its task was enqueued. Then the replica is
at level again and there are more orders: `level_on_replica` of `level_reads` were read there.
run, lost and twice count tasks, of which stock's have run although they read nothing.
"""

import json
import time
from typing import Final

from dutiful.drills import orders
from dutiful.drills.arena import Arena
from dutiful.drills.orders_shop import servers, shop
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.drills.tally import tally
from dutiful.testing.processes import wait_for

ORDERS, QUICK_ORDERS = 10_000, 300
LEVEL, QUICK_LEVEL = 2_000, 200
"""Orders after the replica has caught up."""
BEHIND: Final = 5.0
"""Seconds."""
COUNTDOWN: Final = 2.0
SHARE: Final = 0.8
"""Of the reads of a replica at level, that must be there."""
TASK: Final = "drills.read_order"
WAIT, QUICK_WAIT = 180.0, 60.0


def play(arena: Arena, quick: bool) -> Counts:
    """10,000 orders behind, 2,000 at level (quick: 300, 200)."""
    behind = range(QUICK_ORDERS if quick else ORDERS)
    level = range(behind.stop, behind.stop + (QUICK_LEVEL if quick else LEVEL))
    wait = QUICK_WAIT if quick else WAIT
    with servers(arena) as (_, replica), shop(arena, "dutiful.drills.orders") as client:
        replica.hold(BEHIND)
        options = {"countdown": COUNTDOWN} if arena.contender.name == "tuned" else {}
        client.send_each((TASK, number, (), options) for number in behind)
        arena.settle(behind.stop, wait, quiet=BEHIND + COUNTDOWN)
        replica.hold(0)
        wait_for("the replica to catch up", replica.caught_up)
        time.sleep(2)  # it is measured each second
        client.send_each((TASK, number, (), options) for number in level)
        arena.settle(level.stop, wait, quiet=BEHIND + COUNTDOWN)
    counts = tally(arena, range(level.stop))
    counts.measured |= _reads(arena, behind, level)
    return counts


def _reads(arena: Arena, behind: range, level: range) -> dict[str, float]:
    reads = [json.loads(line) for line in arena.ledger.client.lrange(orders.READS, 0, -1)]
    late = [where for number, where, _ in reads if number in level]
    return {
        "stale": sum(not there for number, _, there in reads if number in behind),
        "stale_at_level": sum(not there for number, _, there in reads if number in level),
        "level_reads": len(late),
        "level_on_replica": sum(where != "default" for where in late),
    }


def kept(ours: Counts) -> bool:
    seen = ours.measured
    fresh = seen["stale"] == seen["stale_at_level"] == 0
    return ours.complete and fresh and seen["level_on_replica"] >= SHARE * seen["level_reads"]


DRILL = Drill(
    name="lag",
    promise="a replica behind its primary: no task reads what is older than its message",
    contenders=contenders(stock=(THREADS,), ours=((*OURS[0], "-c", "30"),)),
    play=play,
    kept=kept,
)
