"""Drill `delay`: tasks with a countdown, and every worker is replaced while they wait.

One worker is killed with -9, the other gets a SIGTERM. Stock Celery holds each delayed message in
a worker's memory. Tuned has the best possible visibility timeout, just above the longest delay.
`late_*` is the time from the requested start to the actual one.
"""

import random
import statistics
import time

from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import OURS, THREADS, systems

TASKS, QUICK_TASKS = 10_000, 500
LATEST = 15
"""The most seconds that a task may be late, since both workers are gone for a moment."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends delayed tasks, kills one worker and terminates the other."""
    tasks, chance = QUICK_TASKS if quick else TASKS, random.Random(7)
    low, high = (6.0, 12.0) if quick else (45.0, 90.0)
    delays = [round(chance.uniform(low, high), 2) for _ in range(tasks)]
    deployment.shorten(lease=5, visibility=high + 2)
    first, second = deployment.start_workers()
    deployment.sender.send_each(
        ("dutiful.drills.tasks.urgent", number, (), {"countdown": delay})
        for number, delay in enumerate(delays)
    )
    time.sleep(1)
    deployment.supervisor.kill(first)
    time.sleep(1)
    deployment.supervisor.terminate(second)
    deployment.supervisor.wait_ready()
    deployment.wait_until_done(tasks, high + 20, quiet=high)
    counts = count_tasks(deployment, range(tasks))
    late = [start.wait - delays[start.number] for start in deployment.record.starts()]
    counts.measured |= {
        "too_early": sum(1 for seconds in late if seconds < -0.1),
        "late_median_seconds": round(statistics.median(late), 2) if late else -1,
        "late_longest_seconds": round(max(late), 2) if late else -1,
    }
    return counts


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return (
        ours.complete
        and ours.twice == 0
        and seen["too_early"] == seen["dead_letters"] == 0
        and seen["late_longest_seconds"] <= LATEST
    )


DRILL = Drill(
    name="delay",
    promise=f"delayed tasks outlive their workers and start at most {LATEST} s late",
    systems=systems(stock=(THREADS, THREADS), ours=(OURS[0], OURS[0])),
    run=run,
    kept=kept,
)
