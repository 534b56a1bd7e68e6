"""Drill `unknown`: a new release sends a task that the old workers do not know.

During a deploy both run side by side. Stock Celery's old workers discard the new task.
"""

import time

from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import OURS, THREADS, systems

EARLY = 10
"""Messages sent while only the old release runs, as if web had been deployed first."""
TASKS, QUICK_TASKS = 400, 40


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends to an old worker alone, then with a new one beside it; then the old one is replaced."""
    tasks = QUICK_TASKS if quick else TASKS
    deployment.shorten(lease=5, visibility=10)
    flags = deployment.system.workers[0]
    (old,) = deployment.start_workers(flags)
    deployment.sender.send("drills.newcomer", dict.fromkeys(range(EARLY), ()))
    time.sleep(1)
    deployment.start_workers((*flags, "-I", deployment.new_release))
    for number in range(EARLY, tasks):
        deployment.sender.send("drills.newcomer", {number: ()})
        time.sleep(0.05)
    time.sleep(1)
    old.restart = False
    deployment.supervisor.terminate(old)
    deployment.start_workers((*flags, "-I", deployment.new_release))
    replaced = time.time()
    deployment.wait_until_done(tasks, 40 if quick else 60)
    counts = count_tasks(deployment, range(tasks))
    late = [end.at - replaced for end in deployment.record.ends() if end.at > replaced]
    counts.recovery_seconds = round(max(late, default=0.0), 1)
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0 and ours.measured["dead_letters"] == 0


DRILL = Drill(
    name="unknown",
    promise="a task that an old worker does not know waits for a new one",
    systems=systems(stock=(THREADS,), ours=OURS[:1]),
    run=run,
    kept=kept,
)
