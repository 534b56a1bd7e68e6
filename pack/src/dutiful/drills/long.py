"""Drill `long`: tasks that run ten times as long as the visibility timeout.

Stock Celery's hour and its scans each 100 s are shortened alike, for stock as for tuned; ours has
a lease that short. Tuned Celery runs each task again while it runs. Stock's defaults acknowledge
before the run, so there it is the prefetched tasks that run twice.
"""

import time

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import Counts, Drill, contenders
from dutiful.drills.tally import copies, tally

TASKS = 12
PREFORK_4 = ("-P", "prefork", "-c", "4")


def play(arena: Arena, quick: bool) -> Counts:
    """Twelve tasks; stock has eight slots, so four wait in its workers."""
    # A lease of one second would measure the machine's hiccups: quick has 12 tasks of 12 s.
    visibility, lease, seconds = (1, 2, 12) if quick else (6, 6, 60)
    arena.shorten(lease=lease, visibility=visibility, stock_too=True)
    arena.start_workers()
    arena.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(range(TASKS), (seconds,)))
    arena.settle(TASKS, 3 * seconds, quiet=seconds + 5)
    time.sleep(2)
    counts = tally(arena, range(TASKS), task_seconds=seconds, timeout_seconds=visibility)
    counts.measured["second_copies"] = copies(arena.ledger)
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0 and ours.measured["second_copies"] == 0


DRILL = Drill(
    name="long",
    promise="a task ten times longer than the timeout runs once",
    contenders=contenders(stock=(PREFORK_4, PREFORK_4)),
    play=play,
    kept=kept,
)
