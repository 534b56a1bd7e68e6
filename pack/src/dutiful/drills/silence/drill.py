"""Drill `silence`: beat, the workers of a queue, all workers and the monitor are killed with -9.

A row is the seconds until the failure was noticed: `told` by an alert to the webhook; `called` by a
critical alert; `outside` by the alarm of a dead-man's switch that got no success for three minutes;
`healthz` by a 503 of that page. A missing row means that nothing noticed.

Stock Celery has nothing that alerts. Tuned has what its manual offers: a heartbeat task that pings
one switch, and a cron job of `celery inspect ping` that pings another.
"""

import time
from contextlib import ExitStack
from typing import Final

from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.silence.deployment import ALERTS, NOT_SERVED, PATIENCE, MonitoredDeployment
from dutiful.drills.supervisor import Worker
from dutiful.drills.systems import OURS, System

BEAT, WORKERS = 120.0, 120.0
"""Seconds within which a critical alert must come."""
TASKS: Final = 20


def run(deployment: Deployment, quick: bool) -> Counts:
    """Causes four failures, one after the other; twenty tasks wait for the workers each time."""
    deployment.shorten(lease=15, visibility=60)
    with ExitStack() as ends:
        monitored = MonitoredDeployment(deployment, quick, ends)
        monitored.fail("beat", ALERTS["beat"], monitored.beat.kill_group)
        since = time.time()
        monitored.beat = monitored.start_beat()
        monitored.wait_recovered(since)
        _kill_workers(monitored, "queue", monitored.workers[1:])
        _kill_workers(monitored, "workers", monitored.workers)
        if monitored.monitor is not None:
            monitored.fail("monitor", (), monitored.monitor.kill_group)
        deployment.wait_until_done(monitored.sent, 60)
        counts = count_tasks(deployment, range(monitored.sent))
        counts.measured |= {**monitored.noticed, "alerts_of_nothing": monitored.unexplained}
    return counts


def _kill_workers(monitored: MonitoredDeployment, name: str, workers: list[Worker]) -> None:
    numbers = range(monitored.sent, monitored.sent + TASKS)
    monitored.sent += TASKS
    task = "dutiful.drills.tasks.crunch" if name == "queue" else "dutiful.drills.tasks.urgent"
    options = {} if monitored.ours or name == "workers" else {"queue": "crunch"}

    def kill() -> None:
        for worker in workers:
            worker.restart = False
            monitored.deployment.supervisor.kill(worker)
        rest = (0.1,) if name == "queue" else ()
        monitored.deployment.sender.send(task, dict.fromkeys(numbers, rest), **options)

    monitored.fail(name, NOT_SERVED, kill)
    since = time.time()
    for worker in workers:
        worker.restart = True
    monitored.deployment.supervisor.wait_ready(*workers)
    monitored.wait_recovered(since)


def kept(ours: Counts) -> bool:
    seen = ours.measured
    in_time = (
        seen.get("beat_called_seconds", BEAT + 1) <= BEAT
        and seen.get("queue_called_seconds", WORKERS + 1) <= WORKERS
        and seen.get("workers_called_seconds", WORKERS + 1) <= WORKERS
        and seen.get("monitor_outside_seconds", PATIENCE + 1) <= PATIENCE
    )
    return ours.complete and in_time and seen["alerts_of_nothing"] == 0


QUEUES: Final = (
    ("-P", "threads", "-c", "10", "-Q", "celery"),
    ("-P", "prefork", "-c", "2", "-Q", "crunch"),
)
DRILL = Drill(
    name="silence",
    promise="a critical alert within two minutes of the death of beat or workers; the dead-man's"
    " switch alarms for the monitor",
    systems=(
        System("stock", "dutiful.drills.stock.plain", QUEUES),
        System("tuned", "dutiful.drills.silence.tuned", QUEUES),
        System("ours", "dutiful.drills.host", OURS),
    ),
    run=run,
    kept=kept,
)
