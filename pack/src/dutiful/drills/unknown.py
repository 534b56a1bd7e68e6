"""Drill `unknown`: a new release sends a task that the old workers do not know.

During a deploy both run side by side. Stock Celery's old workers throw the new task away.
"""

import time

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.drills.tally import tally

EARLY = 10
"""Sent while only the old release runs, as a web process that was deployed first does."""
TASKS, QUICK_TASKS = 400, 40


def play(arena: Arena, quick: bool) -> Counts:
    """The old worker alone; beside a new one; then replaced."""
    tasks = QUICK_TASKS if quick else TASKS
    arena.shorten(lease=5, visibility=10)
    words = arena.contender.workers[0]
    (old,) = arena.start_workers(words)
    arena.sender.send("drills.newcomer", dict.fromkeys(range(EARLY), ()))
    time.sleep(1)
    arena.start_workers((*words, "-I", arena.newer))
    for number in range(EARLY, tasks):
        arena.sender.send("drills.newcomer", {number: ()})
        time.sleep(0.05)
    time.sleep(1)
    old.kept = False
    arena.crew.terminate(old)
    arena.start_workers((*words, "-I", arena.newer))
    replaced = time.time()
    arena.settle(tasks, 40 if quick else 60)
    counts = tally(arena, range(tasks))
    late = [end.at - replaced for end in arena.ledger.ends() if end.at > replaced]
    counts.recovery_seconds = round(max(late, default=0.0), 1)
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0 and ours.measured["dead_letters"] == 0


DRILL = Drill(
    name="unknown",
    promise="a task that an old worker does not know waits for a new one",
    contenders=contenders(stock=(THREADS,), ours=OURS[:1]),
    play=play,
    kept=kept,
)
