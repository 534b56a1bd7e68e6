"""Drill `poison`: tasks that end the process that runs them, beside others on the same worker.

A third kill themselves, a third segfault, a third eat memory until they are killed (the drill
plays the kernel's OOM killer at 256 MB). sent, run, lost, twice count the bystanders.
`bystanders_disturbed` did not start once and end once. `poison_runs` counts processes that died:
with stock's defaults a poison's message is simply gone (`poisons_lost`), tuned runs it for ever.
"""

import random
import time
from collections import Counter

from dutiful.drills.arena import Arena
from dutiful.drills.census import DEAD, census
from dutiful.drills.scenario import OURS, PREFORK, Counts, Drill, contenders
from dutiful.drills.tally import tally
from dutiful.drills.work import WAYS

BYSTANDERS, QUICK_BYSTANDERS = 2000, 120
POISONS, QUICK_POISONS = 20, 3
SECONDS, QUICK_SECONDS = 240, 60
"""In which all must have come to an end."""
FOR_EVER = 10
"""Runs of a poison after which the drill need not see more."""


def play(arena: Arena, quick: bool) -> Counts:
    bystanders, poisons = (QUICK_BYSTANDERS, QUICK_POISONS) if quick else (BYSTANDERS, POISONS)
    total, chance = bystanders + poisons, random.Random(7)
    bad = set(chance.sample(range(total // 2), poisons))
    ways = sorted(WAYS)
    arena.shorten(lease=5, visibility=60)
    arena.start_workers()
    began = time.monotonic()
    arena.sender.send_each(
        ("dutiful.drills.tasks.poison", number, (ways[number % len(ways)],), {})
        if number in bad
        else ("dutiful.drills.tasks.crunch", number, (0.1,), {})
        for number in range(total)
    )
    seconds = QUICK_SECONDS if quick else SECONDS
    while time.monotonic() - began < seconds:
        if arena.ledger.done() >= bystanders and not _at_large(arena, bad):
            break
        time.sleep(0.5)
    return _count(arena, set(range(total)) - bad, bad)


def _at_large(arena: Arena, bad: set[int]) -> set[int]:
    """The poisons that may still run, but for those that plainly run for ever."""
    with arena.redis as client:
        where = census(client)
    runs = Counter(start.number for start in arena.ledger.starts())
    return {number for number in bad if where.get(number, DEAD) != DEAD and runs[number] < FOR_EVER}


def _count(arena: Arena, good: set[int], bad: set[int]) -> Counts:
    starts = Counter(start.number for start in arena.ledger.starts())
    ends = Counter(end.number for end in arena.ledger.ends())
    with arena.redis as client:
        where = census(client)
        time.sleep(1)  # a message may just have been on its way from one place to another
        where |= census(client)
    counts = tally(arena, good)
    counts.measured = {
        "bystanders_disturbed": sum(1 for n in good if (starts[n], ends[n]) != (1, 1)),
        "bystanders_dead_lettered": int(counts.measured["dead_letters"]),
        "poisons": len(bad),
        "poison_runs": sum(starts[number] for number in bad),
        "poisons_dead_lettered": sum(1 for number in bad if where.get(number) == DEAD),
        "poisons_lost": sum(1 for number in bad if number not in where),
    }
    return counts


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return (
        ours.complete
        and seen["bystanders_disturbed"] == seen["bystanders_dead_lettered"] == 0
        and seen["poisons_dead_lettered"] == seen["poisons"]
    )


DRILL = Drill(
    name="poison",
    promise="a poison task ends in the dead letters after a trial; its bystanders never notice",
    contenders=contenders(stock=(PREFORK,), ours=OURS[1:]),
    play=play,
    kept=kept,
)
