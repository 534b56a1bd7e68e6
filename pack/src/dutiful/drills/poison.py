"""Drill `poison`: tasks that end the process that runs them, beside others on the same worker.

A third kill their process, a third cause a segmentation fault, and a third allocate memory until
they are killed (the drill acts as the kernel's OOM killer at 256 MB). sent, run, lost and twice
count the other tasks, the bystanders. `bystanders_disturbed` did not start once and end once.
`poison_runs` counts processes that died: stock Celery loses a poison message (`poisons_lost`),
tuned runs it again for ever.
"""

import random
import time
from collections import Counter

from dutiful.drills.broker_state import DEAD, locate_tasks
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import OURS, PREFORK, systems
from dutiful.drills.task_bodies import WAYS

BYSTANDERS, QUICK_BYSTANDERS = 2000, 120
POISONS, QUICK_POISONS = 20, 3
SECONDS, QUICK_SECONDS = 240, 60
"""Seconds within which all tasks must have ended or be dead letters."""
FOR_EVER = 10
"""Runs of a poison message after which the drill waits no longer for it."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends 20 poison messages among 2,000 others (quick: 3 among 120)."""
    bystanders, poisons = (QUICK_BYSTANDERS, QUICK_POISONS) if quick else (BYSTANDERS, POISONS)
    total, chance = bystanders + poisons, random.Random(7)
    bad = set(chance.sample(range(total // 2), poisons))
    ways = sorted(WAYS)
    deployment.shorten(lease=5, visibility=60)
    deployment.start_workers()
    began = time.monotonic()
    deployment.sender.send_each(
        ("dutiful.drills.tasks.poison", number, (ways[number % len(ways)],), {})
        if number in bad
        else ("dutiful.drills.tasks.crunch", number, (0.1,), {})
        for number in range(total)
    )
    seconds = QUICK_SECONDS if quick else SECONDS
    while time.monotonic() - began < seconds:
        if deployment.record.done() >= bystanders and not _may_still_run(deployment, bad):
            break
        time.sleep(0.5)
    return _count(deployment, set(range(total)) - bad, bad)


def _may_still_run(deployment: Deployment, bad: set[int]) -> set[int]:
    """Returns the poison messages that may still run, without those that run for ever."""
    with deployment.redis as client:
        where = locate_tasks(client)
    runs = Counter(start.number for start in deployment.record.starts())
    return {number for number in bad if where.get(number, DEAD) != DEAD and runs[number] < FOR_EVER}


def _count(deployment: Deployment, good: set[int], bad: set[int]) -> Counts:
    starts = Counter(start.number for start in deployment.record.starts())
    ends = Counter(end.number for end in deployment.record.ends())
    with deployment.redis as client:
        where = locate_tasks(client)
        time.sleep(1)  # a message may be between two keys at the first reading
        where |= locate_tasks(client)
    counts = count_tasks(deployment, good)
    counts.measured = {
        "bystanders_disturbed": sum(1 for n in good if (starts[n], ends[n]) != (1, 1)),
        "bystanders_dead_lettered": int(counts.measured["dead_letters"]),
        "poisons": len(bad),
        "poison_runs": sum(starts[number] for number in bad),
        "poisons_dead_lettered": sum(1 for number in bad if where.get(number) == DEAD),
        "poisons_lost": sum(1 for number in bad if number not in where),
    }
    return counts


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return (
        ours.complete
        and seen["bystanders_disturbed"] == seen["bystanders_dead_lettered"] == 0
        and seen["poisons_dead_lettered"] == seen["poisons"]
    )


DRILL = Drill(
    name="poison",
    promise="a poison message is a dead letter after an isolated run; other tasks are undisturbed",
    systems=systems(stock=(PREFORK,), ours=OURS[1:]),
    run=run,
    kept=kept,
)
