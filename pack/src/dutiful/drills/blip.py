"""Drill `blip`: the broker drops every connection while tasks run.

Stock Celery then puts all unacknowledged messages back into the queues, while the same tasks still
run or wait in its pool, so each runs again (`second_copies`).
"""

import time

from dutiful.drills.counting import count_tasks, second_starts
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill

BLIPS, QUICK_BLIPS = 50, 4
TASKS = 20
PAUSE = 2.0


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends twenty tasks of 3 s and drops all connections, every 2 s."""
    blips = QUICK_BLIPS if quick else BLIPS
    deployment.shorten(lease=15, visibility=60)
    deployment.start_workers()
    for blip in range(blips):
        numbers = range(blip * TASKS, (blip + 1) * TASKS)
        deployment.sender.send_each(
            (
                "dutiful.drills.tasks.crunch" if number % 10 == 0 else "dutiful.drills.tasks.slow",
                number,
                (3.0,),
                {},
            )
            for number in numbers
        )
        time.sleep(PAUSE)
        with deployment.redis as client:
            dropped = client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)
        assert dropped, "no connection was there to drop"
    deployment.wait_until_done(blips * TASKS, 40 if quick else 60)
    time.sleep(4)  # a second copy may still be on its way
    counts = count_tasks(deployment, range(blips * TASKS), blips=blips)
    counts.measured["second_copies"] = second_starts(deployment.record)
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0 and ours.measured["second_copies"] == 0


DRILL = Drill(
    name="blip",
    promise="a dropped connection loses nothing and runs nothing twice",
    run=run,
    kept=kept,
)
