"""Drill `deploy`: a release each few seconds. SIGTERM goes to every process of every worker.

So does Heroku it, with a SIGKILL after 30 s. On stock Celery that ends the pool's children with
what they run. `crashes_counted` is how many messages ours held against somebody: clean stops
must count none.
"""

import random
import time

from dutiful.drills.arena import Arena
from dutiful.drills.scenario import Counts, Drill
from dutiful.drills.tally import copies, tally

RELEASES, QUICK_RELEASES = 50, 2
"""Of two workers each."""
TASKS = 60


def play(arena: Arena, quick: bool) -> Counts:
    """Sixty tasks of up to two seconds for each release."""
    releases, chance = QUICK_RELEASES if quick else RELEASES, random.Random(7)
    arena.shorten(lease=5, visibility=10)
    arena.start_workers()
    unclean, crashes, longest = 0, set(), 0.0
    for release in range(releases):
        numbers = range(release * TASKS, (release + 1) * TASKS)
        arena.crew.wait_ready()
        arena.sender.send_each(
            (
                "dutiful.drills.tasks.crunch" if number % 10 == 0 else "dutiful.drills.tasks.slow",
                number,
                (chance.uniform(0.1, 2.0),),
                {},
            )
            for number in numbers
        )
        time.sleep(chance.uniform(0.2, 1.0))
        began = time.monotonic()
        codes = arena.crew.terminate(*arena.crew.posts)
        if any(codes):
            arena.tell(f"release {release + 1}: exit codes {codes}")
        unclean += sum(1 for code in codes if code != 0)
        longest = max(longest, time.monotonic() - began)
        with arena.redis as client:
            crashes |= set(client.scan_iter("dutiful:crashes:*", count=1000))
        if (release + 1) % 10 == 0:
            arena.tell(f"{release + 1} of {releases} releases")
    arena.crew.wait_ready()
    arena.settle(releases * TASKS, 40 if quick else 120)
    return _count(arena, releases, unclean, len(crashes), longest)


def _count(arena: Arena, releases: int, unclean: int, crashes: int, longest: float) -> Counts:
    counts = tally(
        arena,
        range(releases * TASKS),
        restarts=releases * len(arena.crew.posts),
        unclean_exits=unclean,
        longest_stop_seconds=round(longest, 1),
        crashes_counted=crashes,
    )
    counts.measured["second_starts"] = copies(arena.ledger)
    return counts


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return (
        ours.complete
        and ours.twice == 0
        and seen["crashes_counted"] == seen["dead_letters"] == seen["unclean_exits"] == 0
    )


DRILL = Drill(
    name="deploy",
    promise="clean restarts under load lose nothing, double nothing, and count no crash",
    play=play,
    kept=kept,
)
