"""Drill `crash`: workers are killed with -9 at random moments, under load.

Stock Celery loses what was running (it acknowledges first) and what a killed worker had popped
and not noted; what waited in a dead worker stays invisible for an hour. `twice` counts tasks that
ran to the end twice: a kill between a task's end and its acknowledgement, as at-least-once allows.
`recovery_seconds` is of one last kill, once all before it is done, with the other workers well.
`longest_recovery_seconds` is of all kills: there a task that two of them hit is a suspect and waits
in line (docs/transport.md), and now and then no worker is left and the wait is for the supervisor.
`innocent_dead_letters`: no task here does wrong, so none may be given up.
"""

import random
import time
from contextlib import suppress

from dutiful.drills.arena import Arena
from dutiful.drills.crew import Kill
from dutiful.drills.scenario import OURS, PREFORK, THREADS, Counts, Drill, contenders
from dutiful.drills.tally import held_by, recovery, tally
from dutiful.testing.processes import wait_for

LEASE = 5
SLACK = 3
"""Seconds beyond the lease within which a survivor must have started everything again."""
KILLS, QUICK_KILLS = 199, 5
PER_KILL, QUICK_PER_KILL = 100, 40
WAIT, QUICK_WAIT = 600, 40
"""Seconds after the last kill in which everything must have run."""


def play(arena: Arena, quick: bool) -> Counts:
    """A hundred tasks of up to half a second for each kill; a kill each second or two."""
    chance = random.Random(7)
    kills, batch = (QUICK_KILLS, QUICK_PER_KILL) if quick else (KILLS, PER_KILL)
    arena.shorten(lease=LEASE, visibility=2 * LEASE)
    arena.start_workers()
    done = []
    for round_ in range(kills):
        numbers = range(round_ * batch, (round_ + 1) * batch)
        arena.sender.begin(
            ("dutiful.drills.tasks.slow", number, (chance.uniform(0.05, 0.5),), {})
            for number in numbers
        )
        done.append(_kill_one(arena, chance))
        arena.sender.finish()
        if (round_ + 1) % 50 == 0:
            arena.tell(f"{round_ + 1} of {kills} kills")
    last = range(kills * batch, (kills + 1) * batch)
    wait = QUICK_WAIT if quick else WAIT
    arena.settle(last.start, wait)
    done.append(_kill_beside_survivors(arena, last))
    arena.settle(last.stop, wait)
    counts = tally(
        arena,
        range(last.stop),
        kills=len(done),
        runs_cut_short=sum(len(held_by(arena.ledger, kill)) for kill in done),
    )
    counts.recovery_seconds = recovery(arena.ledger, done[-1:])
    longest = recovery(arena.ledger, done)
    if longest is not None:
        counts.measured["longest_recovery_seconds"] = longest
    counts.measured["innocent_dead_letters"] = counts.measured.pop("dead_letters")
    return counts


def _kill_beside_survivors(arena: Arena, numbers: range) -> Kill:
    """The first worker, running as many tasks of two seconds as it takes, with all others alive."""
    arena.crew.wait_ready()
    arena.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(numbers, (2.0,)))
    time.sleep(1)
    return arena.crew.kill(arena.crew.posts[0])


def _kill_one(arena: Arena, chance: random.Random) -> Kill:
    """Kills a worker that is at work; three times of four all its processes, else the main one."""
    post = arena.crew.any_ready(chance)

    def at_work() -> bool:
        return post.ended or bool(held_by(arena.ledger, Kill(post.name, time.time())))

    with suppress(AssertionError):  # the others may have taken all there was
        wait_for("a task on this worker", at_work, 3)
    time.sleep(chance.uniform(0.2, 1.5))
    return arena.crew.kill(post, whole=chance.random() < 0.75)


def kept(ours: Counts) -> bool:
    soon = ours.recovery_seconds is not None and ours.recovery_seconds <= LEASE + SLACK
    return ours.complete and soon and ours.measured["innocent_dead_letters"] == 0


DRILL = Drill(
    name="crash",
    promise="kill -9 of workers under load loses nothing; survivors go on within the lease + 3 s",
    contenders=contenders(stock=(THREADS, PREFORK, THREADS), ours=(*OURS, OURS[0])),
    play=play,
    kept=kept,
)
