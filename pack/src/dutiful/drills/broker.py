"""Drill `broker`: the broker is killed with -9 under load and restarted; then it freezes.

It restarts with its data (append-only file). It freezes for longer than every lease, so no worker
can renew its lease, and yet no live worker may be treated as dead. No worker ends here, so each
start beyond a task's first is a second copy. `recovery_seconds` is the time from the broker's
return until a task that is sent then starts.
"""

import os
import signal
import time

from dutiful.drills.counting import count_tasks, second_starts
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.testing.processes import wait_for

KILLS, QUICK_KILLS = 5, 2
TASKS = 60
SECONDS = 1.5


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends sixty tasks of 1.5 s before each kill and before a freeze of 70 s (quick: 8 s)."""
    lease, frozen = (3, 8) if quick else (15, 70)
    kills = QUICK_KILLS if quick else KILLS
    deployment.shorten(lease=lease, visibility=60)
    deployment.start_workers()
    sent = (kills + 1) * TASKS
    recoveries, copied = [], []
    for harm in range(kills + 1):
        numbers = range(harm * TASKS, (harm + 1) * TASKS)
        deployment.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(numbers, (SECONDS,)))
        time.sleep(1)
        if harm < kills:
            deployment.broker.kill()
            time.sleep(1)
            deployment.broker.start()
        else:
            _freeze(deployment, frozen)
        recoveries.append(_recovered(deployment, sent + harm))
        time.sleep(2)
        copied.append(second_starts(deployment.record))
    sent += len(recoveries)
    deployment.wait_until_done(sent, 40 if quick else 90)
    time.sleep(lease)  # a second copy may still be on its way
    counts = count_tasks(deployment, range(sent), server_kills=kills, frozen_seconds=frozen)
    counts.recovery_seconds = round(max(recoveries), 1)
    counts.measured["second_copies"] = second_starts(deployment.record)
    counts.measured["second_copies_of_the_freeze"] = second_starts(deployment.record) - copied[-2]
    return counts


def _freeze(deployment: Deployment, seconds: float) -> None:
    assert deployment.broker.process is not None
    os.kill(deployment.broker.process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(deployment.broker.process.pid, signal.SIGCONT)


def _recovered(deployment: Deployment, probe: int) -> float:
    """Returns the seconds from now until a task that is sent now starts."""
    began = time.monotonic()
    deployment.sender.send("dutiful.drills.tasks.urgent", {probe: ()})
    wait_for(
        "a task sent after the server's return",
        lambda: any(start.number == probe for start in deployment.record.starts()),
        60,
    )
    return time.monotonic() - began


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return ours.complete and seen["second_copies"] == seen["dead_letters"] == 0


DRILL = Drill(
    name="broker",
    promise="a broker that dies or freezes loses nothing, and no live worker is treated as dead",
    run=run,
    kept=kept,
)
