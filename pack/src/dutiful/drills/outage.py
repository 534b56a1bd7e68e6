"""Drill `outage`: the broker is away for a minute while requests enqueue; then frozen for another.

A request that gets an error has enqueued nothing: it counts as lost. One that hangs holds its
thread; after the outage it has ten seconds more. `recovery_seconds`: from the broker's return until
everything has run, the longer of the two. `slowest_later_seconds`: of the requests that began after
the first had failed or fallen back.
"""

import os
import signal
import time
from typing import Any, Final

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import OURS, THREADS, Contender, Counts, Drill
from dutiful.drills.tally import tally
from dutiful.drills.web import Web, web

REQUESTS, QUICK_REQUESTS = 2000, 150
SECONDS, QUICK_SECONDS = 60.0, 5.0
PATIENCE: Final = 10.0
"""Seconds after the broker's return in which everything must have run."""
ONCE: Final = 1.2
LATER: Final = 0.05
"""Seconds that a request may take: the first of a process, and the others."""
WAIT, QUICK_WAIT = 60.0, 20.0
"""Seconds after which no more is expected."""


def play(arena: Arena, quick: bool) -> Counts:
    """Two thousand requests in sixty seconds each (quick: 150 in five)."""
    count, seconds = (QUICK_REQUESTS, QUICK_SECONDS) if quick else (REQUESTS, SECONDS)
    wait = QUICK_WAIT if quick else WAIT
    arena.shorten(lease=15, visibility=60)
    with web(arena) as client:
        arena.start_workers()
        client.tell(outage=[0, 20, 0.5])  # warm: connections, imports
        client.answer()
        client.tell(report=[20, PATIENCE])
        client.answer()
        _stop(arena)
        down = _requests(client, 20, count, seconds)
        arena.broker.start()
        stopped = _recover(arena, client, down, 20, count, wait)
        _signal(arena, signal.SIGSTOP)
        down += _requests(client, 20 + count, count, seconds)
        _signal(arena, signal.SIGCONT)
        thawed = _recover(arena, client, down, 20 + count, count, wait)
    counts = tally(arena, range(20, 20 + 2 * count))
    counts.recovery_seconds = max(stopped, thawed)
    counts.measured["recovery_seconds_after_the_freeze"] = thawed
    counts.measured |= _times(down, 2 * count)
    return counts


def _stop(arena: Arena) -> None:
    arena.broker.kill()


def _signal(arena: Arena, number: int) -> None:
    assert arena.broker.process is not None
    os.kill(arena.broker.process.pid, number)


def _requests(client: Web, first: int, count: int, seconds: float) -> list[Any]:
    client.tell(outage=[first, count, seconds])
    client.answer()
    client.tell(report=[count, 0.5])
    ended: list[Any] = client.answer()
    return ended


def _recover(
    arena: Arena, client: Web, ended: list[Any], first: int, count: int, wait: float
) -> float:
    """Seconds until all that was enqueued has run; adds the requests that ended meanwhile."""
    returned = time.monotonic()
    own = [one for one in ended if one[0] >= first]
    if len(own) < count:
        client.tell(report=[count - len(own), PATIENCE])
        ended += client.answer()
        own = [one for one in ended if one[0] >= first]
    wanted = {one[0] for one in own if not one[3]}
    while time.monotonic() - returned < wait:
        if wanted <= {end.number for end in arena.ledger.ends()}:
            break
        time.sleep(0.1)
    return round(time.monotonic() - returned, 1)


def _times(ended: list[Any], count: int) -> dict[str, float]:
    """Of the requests, in seconds. The first of a process is the one that finds out."""
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
    contenders=(
        Contender("stock", "dutiful.drills.stock", (THREADS,)),
        Contender("tuned", "dutiful.drills.tuned_timeouts", (THREADS,)),
        Contender("ours", "dutiful.drills.host", (OURS[0],)),
    ),
    play=play,
    kept=kept,
)
