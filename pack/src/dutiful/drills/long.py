"""Drill `long`: tasks that run ten times as long as the visibility timeout.

Stock Celery's visibility timeout of an hour and its scans each 100 s are shortened, for stock and
for tuned; ours has a lease as short. Tuned Celery runs each task again while it still runs. Stock
Celery acknowledges before the run, so there only the prefetched tasks run twice.
"""

import time

from dutiful.drills.counting import count_tasks, second_starts
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import systems

TASKS = 12
PREFORK_4 = ("-P", "prefork", "-c", "4")


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends twelve tasks; stock has eight slots, so four wait in its workers."""
    # A lease of one second would measure pauses of the machine, so quick has tasks of 12 s.
    visibility, lease, seconds = (1, 2, 12) if quick else (6, 6, 60)
    deployment.shorten(lease=lease, visibility=visibility, stock_too=True)
    deployment.start_workers()
    deployment.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(range(TASKS), (seconds,)))
    deployment.wait_until_done(TASKS, 3 * seconds, quiet=seconds + 5)
    time.sleep(2)
    counts = count_tasks(deployment, range(TASKS), task_seconds=seconds, timeout_seconds=visibility)
    counts.measured["second_copies"] = second_starts(deployment.record)
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0 and ours.measured["second_copies"] == 0


DRILL = Drill(
    name="long",
    promise="a task ten times longer than the timeout runs once",
    systems=systems(stock=(PREFORK_4, PREFORK_4)),
    run=run,
    kept=kept,
)
