"""Drill `crash`: workers are killed with -9 at random moments, under load.

Stock Celery loses the tasks that were running (it acknowledges before the run) and the messages
that a killed worker had popped and not yet stored as unacknowledged; what waited in a dead worker
stays invisible for an hour. `twice` counts tasks that ended twice because a kill came between the
end and the acknowledgement; at-least-once delivery allows that. `recovery_seconds` is measured on
one last kill, when all earlier tasks have ended and the other workers run.
`longest_recovery_seconds` covers all kills: a task that two of them hit is a suspect and waits to
run in a child process (docs/transport.md), and sometimes no worker is left until the supervisor
starts one. `innocent_dead_letters` counts dead letters: no task here is faulty, so there may be
none.
"""

import random
import time
from contextlib import suppress

from dutiful.drills.counting import count_tasks, held_by, recovery
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.supervisor import Kill
from dutiful.drills.systems import OURS, PREFORK, THREADS, systems
from dutiful.testing.processes import wait_for

LEASE = 5
SLACK = 3
"""Seconds beyond the lease within which another worker must have started everything again."""
KILLS, QUICK_KILLS = 199, 5
PER_KILL, QUICK_PER_KILL = 100, 40
WAIT, QUICK_WAIT = 600, 40
"""Seconds after the last kill within which everything must have run."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends a hundred tasks of up to 0.5 s for each kill; kills a worker every 1 to 2 s."""
    chance = random.Random(7)
    kills, batch = (QUICK_KILLS, QUICK_PER_KILL) if quick else (KILLS, PER_KILL)
    deployment.shorten(lease=LEASE, visibility=2 * LEASE)
    deployment.start_workers()
    done = []
    for round_ in range(kills):
        numbers = range(round_ * batch, (round_ + 1) * batch)
        deployment.sender.begin(
            ("dutiful.drills.tasks.slow", number, (chance.uniform(0.05, 0.5),), {})
            for number in numbers
        )
        done.append(_kill_one(deployment, chance))
        deployment.sender.finish()
        if (round_ + 1) % 50 == 0:
            deployment.report(f"{round_ + 1} of {kills} kills")
    last = range(kills * batch, (kills + 1) * batch)
    wait = QUICK_WAIT if quick else WAIT
    deployment.wait_until_done(last.start, wait)
    done.append(_kill_beside_survivors(deployment, last))
    deployment.wait_until_done(last.stop, wait)
    counts = count_tasks(
        deployment,
        range(last.stop),
        kills=len(done),
        runs_cut_short=sum(len(held_by(deployment.record, kill)) for kill in done),
    )
    counts.recovery_seconds = recovery(deployment.record, done[-1:])
    longest = recovery(deployment.record, done)
    if longest is not None:
        counts.measured["longest_recovery_seconds"] = longest
    counts.measured["innocent_dead_letters"] = counts.measured.pop("dead_letters")
    return counts


def _kill_beside_survivors(deployment: Deployment, numbers: range) -> Kill:
    """Kills the first worker while it runs as many tasks of 2 s as it has slots for."""
    deployment.supervisor.wait_ready()
    deployment.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(numbers, (2.0,)))
    time.sleep(1)
    return deployment.supervisor.kill(deployment.supervisor.workers[0])


def _kill_one(deployment: Deployment, chance: random.Random) -> Kill:
    """Kills a busy worker: all its processes with a probability of 75 %, else the main one."""
    worker = deployment.supervisor.any_ready(chance)

    def at_work() -> bool:
        return worker.ended or bool(held_by(deployment.record, Kill(worker.name, time.time())))

    with suppress(AssertionError):  # the others may have taken all tasks
        wait_for("a task on this worker", at_work, 3)
    time.sleep(chance.uniform(0.2, 1.5))
    return deployment.supervisor.kill(worker, whole=chance.random() < 0.75)


def kept(ours: Counts) -> bool:
    soon = ours.recovery_seconds is not None and ours.recovery_seconds <= LEASE + SLACK
    return ours.complete and soon and ours.measured["innocent_dead_letters"] == 0


DRILL = Drill(
    name="crash",
    promise="kill -9 of workers under load loses nothing; others go on within the lease + 3 s",
    systems=systems(stock=(THREADS, PREFORK, THREADS), ours=(*OURS, OURS[0])),
    run=run,
    kept=kept,
)
