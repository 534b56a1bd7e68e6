"""Drill `broker`: the server is killed with -9 and comes back, under load; then it freezes.

It comes back with its data (append-only file). It freezes for longer than every lease: nobody
could renew, and still nobody alive may be taken for dead. No worker ends here, so each start
beyond a task's first is a second copy. `recovery_seconds`: from the server's return until a task
that is sent then starts.
"""

import os
import signal
import time

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import Counts, Drill
from dutiful.drills.tally import copies, tally
from dutiful.testing.processes import wait_for

KILLS, QUICK_KILLS = 5, 2
TASKS = 60
SECONDS = 1.5


def play(arena: Arena, quick: bool) -> Counts:
    """Sixty tasks of 1.5 s before each kill and before the freeze of 70 s (quick: 8 s)."""
    lease, frozen = (3, 8) if quick else (15, 70)
    kills = QUICK_KILLS if quick else KILLS
    arena.shorten(lease=lease, visibility=60)
    arena.start_workers()
    sent = (kills + 1) * TASKS
    recoveries, copied = [], []
    for harm in range(kills + 1):
        numbers = range(harm * TASKS, (harm + 1) * TASKS)
        arena.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(numbers, (SECONDS,)))
        time.sleep(1)
        if harm < kills:
            arena.broker.kill()
            time.sleep(1)
            arena.broker.start()
        else:
            _freeze(arena, frozen)
        recoveries.append(_recovered(arena, sent + harm))
        time.sleep(2)
        copied.append(copies(arena.ledger))
    sent += len(recoveries)
    arena.settle(sent, 40 if quick else 90)
    time.sleep(lease)  # a second copy may still be on its way
    counts = tally(arena, range(sent), server_kills=kills, frozen_seconds=frozen)
    counts.recovery_seconds = round(max(recoveries), 1)
    counts.measured["second_copies"] = copies(arena.ledger)
    counts.measured["second_copies_of_the_freeze"] = copies(arena.ledger) - copied[-2]
    return counts


def _freeze(arena: Arena, seconds: float) -> None:
    assert arena.broker.process is not None
    os.kill(arena.broker.process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(arena.broker.process.pid, signal.SIGCONT)


def _recovered(arena: Arena, probe: int) -> float:
    """Seconds from now until a task sent now starts."""
    began = time.monotonic()
    arena.sender.send("dutiful.drills.tasks.urgent", {probe: ()})
    wait_for(
        "a task sent after the server's return",
        lambda: any(start.number == probe for start in arena.ledger.starts()),
        60,
    )
    return time.monotonic() - began


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return ours.complete and seen["second_copies"] == seen["dead_letters"] == 0


DRILL = Drill(
    name="broker",
    promise="a server that dies or freezes loses nothing, and nobody alive is taken for dead",
    play=play,
    kept=kept,
)
