"""Drill `blip`: the server drops every connection while tasks run.

Stock Celery answers by putting all that it had not acknowledged back into the queues, while the
same tasks still run or wait in its pool: each runs again (`second_copies`).
"""

import time

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import Counts, Drill
from dutiful.drills.tally import copies, tally

BLIPS, QUICK_BLIPS = 50, 4
TASKS = 20
PAUSE = 2.0


def play(arena: Arena, quick: bool) -> Counts:
    """Twenty tasks of three seconds for each blip; a blip each two seconds."""
    blips = QUICK_BLIPS if quick else BLIPS
    arena.shorten(lease=15, visibility=60)
    arena.start_workers()
    for blip in range(blips):
        numbers = range(blip * TASKS, (blip + 1) * TASKS)
        arena.sender.send_each(
            (
                "dutiful.drills.tasks.crunch" if number % 10 == 0 else "dutiful.drills.tasks.slow",
                number,
                (3.0,),
                {},
            )
            for number in numbers
        )
        time.sleep(PAUSE)
        with arena.redis as client:
            dropped = client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)
        assert dropped, "no connection was there to drop"
    arena.settle(blips * TASKS, 40 if quick else 60)
    time.sleep(4)  # a second copy may still be on its way
    counts = tally(arena, range(blips * TASKS), blips=blips)
    counts.measured["second_copies"] = copies(arena.ledger)
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0 and ours.measured["second_copies"] == 0


DRILL = Drill(
    name="blip",
    promise="a dropped connection loses nothing and runs nothing twice",
    play=play,
    kept=kept,
)
