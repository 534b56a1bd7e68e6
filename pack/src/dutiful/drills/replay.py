"""Drill `replay`: what tasks call is away for longer than their retries last, and comes back.

With stock Celery each of them ends as a line in the log: `lost`. Ours are dead letters: a few are
replayed first, then the rest at a rate. `canaries` ran before the rest was sent.
"""

import os
import time

from dutiful.drills.arena import Arena
from dutiful.drills.paying import TIMES, UP
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.drills.sender import Sender
from dutiful.drills.tally import tally
from dutiful.testing.processes import wait_for

TASKS, QUICK_TASKS = 500, 60
CANARIES, RATE = 5, 1200
"""Letters first, and letters a minute after them."""
WAIT = 120.0


def play(arena: Arena, quick: bool) -> Counts:
    """All fail until their retries are exhausted; then the other side is back."""
    tasks = QUICK_TASKS if quick else TASKS
    ours = arena.contender.is_ours
    module = "dutiful.drills.paying_tasks" if ours else "dutiful.drills.paying_stock"
    if ours:
        arena.manage("migrate", "-v0")
    arena.start_workers((*arena.contender.workers[0], "-I", module))
    environment = {**os.environ, **arena.environment}
    client = Sender(arena.contender.app, [module], environment, arena.folder / "payer.log")
    try:
        client.send("drills.charge", dict.fromkeys(range(tasks), ()))
    finally:
        client.stop()
    wait_for("all tries", lambda: len(arena.ledger.starts()) >= tasks * (1 + TIMES), WAIT)
    time.sleep(2)  # the last of them are still at it
    died = 0
    if ours:
        with arena.redis as broker:
            died = wait_for(
                "all letters", lambda: (n := broker.xlen("dutiful:dead_letters")) >= tasks and n
            )
    arena.ledger.client.set(UP, 1)
    arena.tell("the other side is back")
    canaries = _replay(arena, tasks) if ours else 0
    arena.settle(tasks, 10)
    return tally(arena, range(tasks), died=died, canaries=canaries)


def _replay(arena: Arena, tasks: int) -> int:
    """What the person on call does, and the schedule after that."""
    group = arena.manage("deadletters", "groups").split()[0]
    arena.manage("deadletters", "canary", group, str(CANARIES), "--then", str(RATE))
    wait_for("the canaries", lambda: arena.ledger.done() >= CANARIES)
    seen = arena.ledger.done()

    def all_ran() -> bool:
        arena.manage("deadletters", "tend")
        return arena.ledger.done() >= tasks

    wait_for("the rest", all_ran, WAIT)
    return seen


def kept(ours: Counts) -> bool:
    first = ours.measured["canaries"] == CANARIES
    return ours.complete and ours.twice == 0 and first and ours.measured["died"] == ours.sent


DRILL = Drill(
    name="replay",
    promise="what failed for good is replayed, a few first and then the rest, and runs once",
    contenders=contenders(stock=(THREADS,), ours=OURS[:1]),
    play=play,
    kept=kept,
)
