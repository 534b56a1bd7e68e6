"""Drill `lag`: orders are saved and their tasks read them, with a replica that is 5 s behind.

Stock and tuned have the database router of Django's manual, which reads from the replica; tuned
also gives each task a countdown of two seconds, the usual workaround. `stale` counts reads that did
not find the order that was saved before its task was enqueued. Then the replica catches up and
more orders follow: `level_on_replica` of `level_reads` were read there. run, lost and twice count
tasks; stock's count as run although they found no order.
"""

import json
import time
from typing import Final

from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.orders import model
from dutiful.drills.orders.fixture import servers, started
from dutiful.drills.systems import OURS, THREADS, systems
from dutiful.testing.processes import wait_for

ORDERS, QUICK_ORDERS = 10_000, 300
LEVEL, QUICK_LEVEL = 2_000, 200
"""Orders after the replica has caught up."""
BEHIND: Final = 5.0
"""Seconds that the replica replays late."""
COUNTDOWN: Final = 2.0
SHARE: Final = 0.8
"""The share of reads that must use the replica once it has caught up."""
TASK: Final = "drills.read_order"
WAIT, QUICK_WAIT = 180.0, 60.0


def run(deployment: Deployment, quick: bool) -> Counts:
    """Saves 10,000 orders while the replica lags and 2,000 after (quick: 300 and 200)."""
    behind = range(QUICK_ORDERS if quick else ORDERS)
    level = range(behind.stop, behind.stop + (QUICK_LEVEL if quick else LEVEL))
    wait = QUICK_WAIT if quick else WAIT
    with servers(deployment) as (_, replica), started(deployment) as client:
        replica.hold(BEHIND)
        options = {"countdown": COUNTDOWN} if deployment.system.name == "tuned" else {}
        client.send_each((TASK, number, (), options) for number in behind)
        deployment.wait_until_done(behind.stop, wait, quiet=BEHIND + COUNTDOWN)
        replica.hold(0)
        wait_for("the replica to catch up", replica.caught_up)
        time.sleep(2)  # it is measured each second
        client.send_each((TASK, number, (), options) for number in level)
        deployment.wait_until_done(level.stop, wait, quiet=BEHIND + COUNTDOWN)
    counts = count_tasks(deployment, range(level.stop))
    counts.measured |= _reads(deployment, behind, level)
    return counts


def _reads(deployment: Deployment, behind: range, level: range) -> dict[str, float]:
    reads = [json.loads(line) for line in deployment.record.client.lrange(model.READS, 0, -1)]
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
    promise="a replica behind its primary: no task reads a state older than its message",
    systems=systems(stock=(THREADS,), ours=((*OURS[0], "-c", "30"),)),
    run=run,
    kept=kept,
)
