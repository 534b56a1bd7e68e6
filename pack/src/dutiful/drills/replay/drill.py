"""Drill `replay`: a dependency of tasks is unavailable for longer than their retries, and returns.

With stock Celery each task ends as a line in the log and counts as lost. Ours become dead letters:
a few are replayed first, then the rest at a limited rate. `canaries` ran before the rest was sent.
"""

import os
import time

from dutiful.drills.broker_state import DEAD_LETTERS
from dutiful.drills.clients.sender import Sender
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.replay.dependency import TIMES, UP
from dutiful.drills.systems import OURS, THREADS, systems
from dutiful.testing.processes import wait_for

TASKS, QUICK_TASKS = 500, 60
CANARIES, RATE = 5, 1200
"""Dead letters replayed first, and dead letters a minute after them."""
WAIT = 120.0


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends tasks that exhaust their retries; then the dependency is back and they are replayed."""
    tasks = QUICK_TASKS if quick else TASKS
    ours = deployment.system.is_ours
    module = "dutiful.drills.replay.ours" if ours else "dutiful.drills.replay.stock"
    if ours:
        deployment.manage("migrate", "-v0")
    deployment.start_workers((*deployment.system.workers[0], "-I", module))
    environment = {**os.environ, **deployment.environment}
    client = Sender(
        deployment.system.app, [module], environment, deployment.folder / "replay-client.log"
    )
    try:
        client.send("drills.charge", dict.fromkeys(range(tasks), ()))
    finally:
        client.stop()
    wait_for("all tries", lambda: len(deployment.record.starts()) >= tasks * (1 + TIMES), WAIT)
    time.sleep(2)  # the last tries are still running
    died = 0
    if ours:
        with deployment.redis as broker:
            died = wait_for(
                "all dead letters", lambda: (n := broker.xlen(DEAD_LETTERS)) >= tasks and n
            )
    deployment.record.client.set(UP, 1)
    deployment.report("the dependency is back")
    canaries = _replay(deployment, tasks) if ours else 0
    deployment.wait_until_done(tasks, 10)
    return count_tasks(deployment, range(tasks), died=died, canaries=canaries)


def _replay(deployment: Deployment, tasks: int) -> int:
    """Replays as the person on call does, then does the schedule's part."""
    group = deployment.manage("deadletters", "groups").split()[0]
    deployment.manage("deadletters", "canary", group, str(CANARIES), "--then", str(RATE))
    wait_for("the canaries", lambda: deployment.record.done() >= CANARIES)
    canaries = deployment.record.done()

    def all_ran() -> bool:
        deployment.manage("deadletters", "tend")
        return deployment.record.done() >= tasks

    wait_for("the rest", all_ran, WAIT)
    return canaries


def kept(ours: Counts) -> bool:
    first = ours.measured["canaries"] == CANARIES
    return ours.complete and ours.twice == 0 and first and ours.measured["died"] == ours.sent


DRILL = Drill(
    name="replay",
    promise="failed tasks are replayed, a few first and then the rest, and each runs once",
    systems=systems(stock=(THREADS,), ours=OURS[:1]),
    run=run,
    kept=kept,
)
