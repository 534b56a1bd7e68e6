"""Drill `crowd`: how long urgent tasks wait that are sent behind many slow ones."""

import statistics
import time
from typing import Final

from dutiful.conf.queues import by_name
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import systems

URGENT: Final = 20
PROMISE_SECONDS: Final = by_name("urgent_fast").starts_within


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends 80 slow tasks of 2 s (quick: 40 of 1 s), then 20 urgent ones while those run."""
    slow, seconds = (40, 1.0) if quick else (80, 2.0)
    deployment.start_workers()
    deployment.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(range(slow), (seconds,)))
    time.sleep(1)
    sent = slow + URGENT
    deployment.sender.send("dutiful.drills.tasks.urgent", dict.fromkeys(range(slow, sent), ()))
    deployment.wait_until_done(sent, 60)
    waits = [start.wait for start in deployment.record.starts() if start.kind == "urgent"]
    counts = count_tasks(deployment, range(sent))
    counts.measured |= {
        "urgent_wait_median_seconds": round(statistics.median(waits), 2) if waits else -1,
        "urgent_wait_longest_seconds": round(max(waits), 2) if waits else -1,
    }
    return counts


def kept(ours: Counts) -> bool:
    longest = ours.measured["urgent_wait_longest_seconds"]
    return ours.complete and ours.twice == 0 and 0 <= longest <= PROMISE_SECONDS


DRILL = Drill(
    name="crowd",
    promise=f"urgent tasks start within {PROMISE_SECONDS} s while slow ones crowd the workers",
    systems=systems(stock=(("-c", "4"),)),
    run=run,
    kept=kept,
)
