"""Drill `outage`: the broker is down for a minute while requests enqueue, then frozen for a minute.

A request that gets an error has enqueued nothing and counts as lost. One that hangs holds its
thread; after the outage it has ten more seconds. `recovery_seconds` is the longer of two times,
each from the broker's return until everything has run. `slowest_later_seconds` covers the requests
that began after the first one had failed or used the outbox.
"""

import os
import signal
import time
from typing import Any, Final

from dutiful.drills.clients.web import Web, web
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import OURS, THREADS, System

REQUESTS, QUICK_REQUESTS = 2000, 150
SECONDS, QUICK_SECONDS = 60.0, 5.0
PATIENCE: Final = 10.0
"""Seconds after the broker's return within which everything must have run."""
ONCE: Final = 1.2
LATER: Final = 0.05
"""Seconds that a request may take: the first of a process (ONCE), and the others (LATER)."""
WAIT, QUICK_WAIT = 60.0, 20.0
"""Seconds after which the drill stops waiting."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends 2,000 requests in 60 s to the stopped, then the frozen broker (quick: 150 in 5 s)."""
    count, seconds = (QUICK_REQUESTS, QUICK_SECONDS) if quick else (REQUESTS, SECONDS)
    wait = QUICK_WAIT if quick else WAIT
    deployment.shorten(lease=15, visibility=60)
    with web(deployment) as client:
        deployment.start_workers()
        client.command(outage=[0, 20, 0.5])  # warm: connections, imports
        client.answer()
        client.command(report=[20, PATIENCE])
        client.answer()
        _stop(deployment)
        down = _requests(client, 20, count, seconds)
        deployment.broker.start()
        stopped = _recover(deployment, client, down, 20, count, wait)
        _signal(deployment, signal.SIGSTOP)
        down += _requests(client, 20 + count, count, seconds)
        _signal(deployment, signal.SIGCONT)
        thawed = _recover(deployment, client, down, 20 + count, count, wait)
    counts = count_tasks(deployment, range(20, 20 + 2 * count))
    counts.recovery_seconds = max(stopped, thawed)
    counts.measured["recovery_seconds_after_the_freeze"] = thawed
    counts.measured |= _times(down, 2 * count)
    return counts


def _stop(deployment: Deployment) -> None:
    deployment.broker.kill()


def _signal(deployment: Deployment, number: int) -> None:
    assert deployment.broker.process is not None
    os.kill(deployment.broker.process.pid, number)


def _requests(client: Web, first: int, count: int, seconds: float) -> list[Any]:
    client.command(outage=[first, count, seconds])
    client.answer()
    client.command(report=[count, 0.5])
    ended: list[Any] = client.answer()
    return ended


def _recover(
    deployment: Deployment, client: Web, ended: list[Any], first: int, count: int, wait: float
) -> float:
    """Returns the seconds until all enqueued tasks have run; adds requests that end meanwhile."""
    returned = time.monotonic()
    own = [one for one in ended if one[0] >= first]
    if len(own) < count:
        client.command(report=[count - len(own), PATIENCE])
        ended += client.answer()
        own = [one for one in ended if one[0] >= first]
    wanted = {one[0] for one in own if not one[3]}
    while time.monotonic() - returned < wait:
        if wanted <= {end.number for end in deployment.record.ends()}:
            break
        time.sleep(0.1)
    return round(time.monotonic() - returned, 1)


def _times(ended: list[Any], count: int) -> dict[str, float]:
    """Returns the times of the requests, in seconds. The first one detects the outage."""
    later = []
    half = sorted(number for number, *_ in ended)
    middle = 20 + count // 2
    for act in ((0, middle), (middle, half[-1] + 1 if half else middle)):
        own = [one for one in ended if act[0] <= one[0] < act[1]]
        known = min((began + took for _, began, took, _ in own), default=0.0)
        later += [took for _, began, took, _ in own if began > known]
    later.sort()
    return {
        "requests_failed": sum(1 for one in ended if one[3]),
        "requests_hung": count - len(ended),
        "slowest_request_seconds": round(max((one[2] for one in ended), default=0.0), 3),
        "slowest_later_seconds": round(later[-1], 3) if later else 0.0,
        "later_p99_seconds": round(later[int(len(later) * 0.99)], 3) if later else 0.0,
    }


def kept(ours: Counts) -> bool:
    seen = ours.measured
    in_time = ours.recovery_seconds is not None and ours.recovery_seconds <= PATIENCE
    quick = seen["slowest_request_seconds"] <= ONCE and seen["later_p99_seconds"] <= LATER
    failed = seen["requests_failed"] + seen["requests_hung"]
    return ours.complete and ours.twice == 0 and in_time and quick and failed == 0


DRILL = Drill(
    name="outage",
    promise="with the broker stopped or frozen no enqueue is lost or slow; all run within"
    f" {PATIENCE:.0f} s of its return",
    systems=(
        System("stock", "dutiful.drills.stock.plain", (THREADS,)),
        System("tuned", "dutiful.drills.stock.tuned_timeouts", (THREADS,)),
        System("ours", "dutiful.drills.host", (OURS[0],)),
    ),
    run=run,
    kept=kept,
)
