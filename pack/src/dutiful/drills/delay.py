"""Drill `delay`: tasks with a countdown, and every worker is replaced while they wait.

One worker is killed with -9, the other gets a SIGTERM. Stock Celery holds each delayed message in
a worker's memory. Tuned has the best visibility timeout there is: just above the longest delay.
`late_*` counts from the moment that was asked for.
"""

import random
import statistics
import time

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.drills.tally import tally

TASKS, QUICK_TASKS = 10_000, 500
LATEST = 15
"""Seconds: the most that a task may be late, with both workers gone for a moment."""


def play(arena: Arena, quick: bool) -> Counts:
    tasks, chance = QUICK_TASKS if quick else TASKS, random.Random(7)
    low, high = (6.0, 12.0) if quick else (45.0, 90.0)
    delays = [round(chance.uniform(low, high), 2) for _ in range(tasks)]
    arena.shorten(lease=5, visibility=high + 2)
    first, second = arena.start_workers()
    arena.sender.send_each(
        ("dutiful.drills.tasks.urgent", number, (), {"countdown": delay})
        for number, delay in enumerate(delays)
    )
    time.sleep(1)
    arena.crew.kill(first)
    time.sleep(1)
    arena.crew.terminate(second)
    arena.crew.wait_ready()
    arena.settle(tasks, high + 20, quiet=high)
    counts = tally(arena, range(tasks))
    late = [start.wait - delays[start.number] for start in arena.ledger.starts()]
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
    contenders=contenders(stock=(THREADS, THREADS), ours=(OURS[0], OURS[0])),
    play=play,
    kept=kept,
)
