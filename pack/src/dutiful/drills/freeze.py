"""Drill `freeze`: a worker is frozen, messages arrive, and the worker is killed.

First, idle workers: SIGSTOP, publish, kill -9. Stock Celery waits in BRPOP, so the server gives it
the message (`popped`) before anything records who has it. Second, a busy worker: SIGSTOP for longer
than the lease, then kill -9. `recovery_seconds` is the time from the SIGSTOP until another worker
has started the tasks that the frozen worker was running.
"""

import signal
import time

from dutiful.drills.broker_state import QUEUED, locate_tasks
from dutiful.drills.counting import count_tasks, held_by, recovery
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.supervisor import Kill
from dutiful.drills.systems import OURS, THREADS, systems

LEASE, QUICK_LEASE = 15, 5
ROUNDS, QUICK_ROUNDS = 20, 2
MESSAGES = 10
BUSY = 40
SLACK = 5
"""Seconds beyond the lease within which another worker must have started everything again."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends ten messages a round to three frozen workers; then freezes one of them at work."""
    lease = QUICK_LEASE if quick else LEASE
    deployment.shorten(lease=lease, visibility=lease)
    deployment.start_workers()
    sent = popped = 0
    for _ in range(QUICK_ROUNDS if quick else ROUNDS):
        popped += _frozen_idle(deployment, range(sent, sent + MESSAGES))
        sent += MESSAGES
    frozen = _frozen_busy(deployment, range(sent, sent + BUSY), lease + SLACK)
    sent += BUSY
    deployment.wait_until_done(sent, 30)
    counts = count_tasks(deployment, range(sent), popped=popped)
    counts.recovery_seconds = recovery(deployment.record, [frozen])
    counts.measured["lease"] = lease
    return counts


def _frozen_idle(deployment: Deployment, numbers: range) -> int:
    """Returns how many messages had left their queue when the workers were dead."""
    deployment.supervisor.wait_ready()
    time.sleep(1)  # until they wait for work
    for worker in deployment.supervisor.workers:
        worker.signal(signal.SIGSTOP)
    deployment.sender.send("dutiful.drills.tasks.urgent", dict.fromkeys(numbers, ()))
    time.sleep(0.3)
    for worker in deployment.supervisor.workers:
        deployment.supervisor.kill(worker)
    with deployment.redis as client:
        queued = {number for number, place in locate_tasks(client).items() if place == QUEUED}
    return len(numbers) - len(queued & set(numbers))


def _frozen_busy(deployment: Deployment, numbers: range, seconds: float) -> Kill:
    """Freezes the worker that runs most tasks; kills it after `seconds`."""
    deployment.supervisor.wait_ready()
    deployment.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(numbers, (3.0,)))
    time.sleep(1.5)
    now = time.time()
    worker = max(
        deployment.supervisor.workers,
        key=lambda one: len(held_by(deployment.record, Kill(one.name, now))),
    )
    frozen = Kill(worker.name, time.time())
    worker.signal(signal.SIGSTOP)
    time.sleep(seconds)
    deployment.supervisor.kill(worker)
    return frozen


def kept(ours: Counts) -> bool:
    in_time = ours.recovery_seconds is not None
    in_time = in_time and (ours.recovery_seconds or 0) <= ours.measured["lease"] + SLACK
    return ours.complete and in_time and ours.measured["dead_letters"] == 0


DRILL = Drill(
    name="freeze",
    promise=f"no task of a frozen worker is lost; each runs within the lease + {SLACK} s",
    systems=systems(stock=(THREADS,) * 3, ours=(OURS[0],) * 3),
    run=run,
    kept=kept,
)
