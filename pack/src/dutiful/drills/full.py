"""Drill `full`: Redis reaches its memory limit and, as it must not evict, refuses what would grow.

Tasks wait, a worker is killed with -9 and starts again, and requests enqueue, all on the full
server; then there is memory again. A request that gets an error has enqueued nothing: it counts as
lost. `ran_while_full`: of the tasks that waited. `recovery_seconds`: from the return of memory
until everything has run.
"""

import time
from typing import Any, Final

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.drills.tally import tally
from dutiful.drills.web import web

WAITING, QUICK_WAITING = 600, 90
SECONDS: Final = 0.5
"""What each of them takes; thirty run at a time."""
REQUESTS, QUICK_REQUESTS = 500, 50
FULL, QUICK_FULL = 60.0, 15.0
"""Seconds without memory. What waits needs a third of that."""
WAIT, QUICK_WAIT = 60.0, 20.0
LIMIT: Final = 1024 * 1024
"""Bytes. Less than an empty server uses: however much is taken from it, it stays full."""


def play(arena: Arena, quick: bool) -> Counts:
    """600 tasks of half a second wait, 500 requests come, within a minute (quick: 15 s)."""
    waiting, requests = (QUICK_WAITING, QUICK_REQUESTS) if quick else (WAITING, REQUESTS)
    full = QUICK_FULL if quick else FULL
    arena.shorten(lease=3, visibility=6)
    with web(arena) as client:
        (post,) = arena.start_workers()
        arena.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(range(waiting), (SECONDS,)))
        before = _limit(arena, LIMIT)
        filled = time.monotonic()
        client.tell(outage=[waiting, requests, full / 3])
        time.sleep(SECONDS / 2)
        arena.crew.kill(post)
        client.answer()
        client.tell(report=[requests, 10])
        ended = client.answer()
        time.sleep(max(0.0, filled + full - time.monotonic()))
        ran = {end.number for end in arena.ledger.ends()} & set(range(waiting))
        _limit(arena, before)
        returned = time.monotonic()
        arena.settle(waiting + requests, QUICK_WAIT if quick else WAIT)
        recovery = time.monotonic() - returned
    counts = tally(
        arena,
        range(waiting + requests),
        waiting=waiting,
        ran_while_full=len(ran),
        requests=requests,
        requests_failed=sum(1 for *_, error in ended if error) + requests - len(ended),
    )
    if counts.complete:
        counts.recovery_seconds = round(recovery, 1)
    return counts


def _limit(arena: Arena, size: Any) -> Any:
    """Sets maxmemory, and returns what it was."""
    with arena.redis as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", size)
    return before


def kept(ours: Counts) -> bool:
    seen = ours.measured
    drained = seen["ran_while_full"] == seen["waiting"]
    return ours.complete and drained and seen["requests_failed"] == seen["dead_letters"] == 0


DRILL = Drill(
    name="full",
    promise="a full Redis loses no enqueue, and workers, even new ones, go on with what it holds",
    contenders=contenders(stock=(THREADS,), ours=(OURS[0],)),
    play=play,
    kept=kept,
)
