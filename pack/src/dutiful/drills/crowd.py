"""Drill `crowd`: a crowd of slow tasks, then urgent ones. How long do the urgent ones wait?"""

import statistics
import time
from typing import Final

from dutiful.conf.queues import by_name
from dutiful.drills.arena import Arena
from dutiful.drills.scenario import Counts, Drill, contenders
from dutiful.drills.tally import tally

URGENT: Final = 20
PROMISE_SECONDS: Final = by_name("urgent_fast").starts_within


def play(arena: Arena, quick: bool) -> Counts:
    """40 slow tasks of 1 s (80 of 2 s), then 20 urgent ones while those run."""
    slow, seconds = (40, 1.0) if quick else (80, 2.0)
    arena.start_workers()
    arena.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(range(slow), (seconds,)))
    time.sleep(1)
    sent = slow + URGENT
    arena.sender.send("dutiful.drills.tasks.urgent", dict.fromkeys(range(slow, sent), ()))
    arena.settle(sent, 60)
    waits = [start.wait for start in arena.ledger.starts() if start.kind == "urgent"]
    counts = tally(arena, range(sent))
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
    contenders=contenders(stock=(("-c", "4"),)),
    play=play,
    kept=kept,
)
