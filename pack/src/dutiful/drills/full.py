"""Drill `full`: Redis reaches its memory limit, must not evict, and so refuses writes that grow.

While the server is full, tasks wait, a worker is killed with -9 and starts again, and requests
enqueue; then there is memory again. A request that gets an error has enqueued nothing and counts as
lost. `ran_while_full` counts waiting tasks that ran on the full server. `recovery_seconds` is the
time from the return of memory until everything has run.
"""

import time
from typing import Any, Final

from dutiful.drills.clients.web import web
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import OURS, THREADS, systems

WAITING, QUICK_WAITING = 600, 90
SECONDS: Final = 0.5
"""The run time of each of them; thirty run at a time."""
REQUESTS, QUICK_REQUESTS = 500, 50
FULL, QUICK_FULL = 60.0, 15.0
"""Seconds without memory. The waiting tasks need a third of that."""
WAIT, QUICK_WAIT = 60.0, 20.0
LIMIT: Final = 1024 * 1024
"""Bytes. Less than an empty server uses, so it stays full however much is removed."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Runs 600 waiting tasks of 0.5 s and 500 requests within a minute (quick: 90, 50, 15 s)."""
    waiting, requests = (QUICK_WAITING, QUICK_REQUESTS) if quick else (WAITING, REQUESTS)
    full = QUICK_FULL if quick else FULL
    deployment.shorten(lease=3, visibility=6)
    with web(deployment) as client:
        (worker,) = deployment.start_workers()
        deployment.sender.send(
            "dutiful.drills.tasks.slow", dict.fromkeys(range(waiting), (SECONDS,))
        )
        before = _limit(deployment, LIMIT)
        filled = time.monotonic()
        client.command(outage=[waiting, requests, full / 3])
        time.sleep(SECONDS / 2)
        deployment.supervisor.kill(worker)
        client.answer()
        client.command(report=[requests, 10])
        ended = client.answer()
        time.sleep(max(0.0, filled + full - time.monotonic()))
        ran = {end.number for end in deployment.record.ends()} & set(range(waiting))
        _limit(deployment, before)
        returned = time.monotonic()
        deployment.wait_until_done(waiting + requests, QUICK_WAIT if quick else WAIT)
        recovery = time.monotonic() - returned
    counts = count_tasks(
        deployment,
        range(waiting + requests),
        waiting=waiting,
        ran_while_full=len(ran),
        requests=requests,
        requests_failed=sum(1 for *_, error in ended if error) + requests - len(ended),
    )
    if counts.complete:
        counts.recovery_seconds = round(recovery, 1)
    return counts


def _limit(deployment: Deployment, size: Any) -> Any:
    """Sets maxmemory; returns the value before."""
    with deployment.redis as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", size)
    return before


def kept(ours: Counts) -> bool:
    seen = ours.measured
    drained = seen["ran_while_full"] == seen["waiting"]
    return ours.complete and drained and seen["requests_failed"] == seen["dead_letters"] == 0


DRILL = Drill(
    name="full",
    promise="a full Redis loses no enqueue, and workers, also new ones, run the tasks that it has",
    systems=systems(stock=(THREADS,), ours=(OURS[0],)),
    run=run,
    kept=kept,
)
