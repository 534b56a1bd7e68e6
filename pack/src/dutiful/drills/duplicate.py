"""Drill `duplicate`: one piece of work is delivered a hundred times, and killed halfway.

First each payment's message lies in the queue a hundred times when the workers start: half of them
the very same message, as a broker delivers it again, half calls of their own. Then workers are
killed with -9 at random moments inside payments. A payment adds one to a balance, so nothing but
the task itself stops a second; `payments_too_many` is what balances hold beyond one. Stock loses
what was killed before it paid; tuned pays again what was killed after.
run, lost and twice count payments, not runs.
"""

import json
import random
import time
from typing import Any, Final
from uuid import uuid4

from dutiful.drills import money
from dutiful.drills.arena import Arena
from dutiful.drills.census import DEAD, QUEUED, census, number_in
from dutiful.drills.scenario import Counts, Drill
from dutiful.testing.processes import wait_for

COPIES: Final = 100
KEYS, QUICK_KEYS = 5, 1
KILLS, QUICK_KILLS = 50, 3
PER_KILL: Final = 8
SECONDS: Final = 1.0
"""Of a payment that is killed; the money moves in its middle."""
WAIT, QUICK_WAIT = 300, 40
QUIET_LOOKS: Final = 8
"""Half seconds without anything to come, longer than a payment takes."""
TASK: Final = "dutiful.drills.tasks.pay"


def play(arena: Arena, quick: bool) -> Counts:
    """A hundred deliveries of each key at once; then eight payments for each kill."""
    keys, kills = (QUICK_KEYS, QUICK_KILLS) if quick else (KEYS, KILLS)
    many, killed = range(keys), range(keys, keys + kills * PER_KILL)
    path = str(arena.folder / "db.sqlite3")
    arena.environment["DRILL_MONEY"] = path
    arena.shorten(lease=5, visibility=10)
    if arena.contender.is_ours:
        arena.manage("migrate", "-v0")
    money.open_accounts(path, range(killed.stop))
    arena.sender.send(TASK, dict.fromkeys(many, (0.2,)))
    with arena.redis as client:
        deliveries = sum(_copy(client, number) for number in many)
    arena.start_workers()
    chance = random.Random(7)
    for first in range(killed.start, killed.stop, PER_KILL):
        _kill_in(arena, range(first, first + PER_KILL), chance)
    _settle(arena, QUICK_WAIT if quick else WAIT)
    return _count(arena, path, kills, deliveries)


def _copy(client: Any, number: int) -> int:
    """Ninety-nine more of a message that waits; how many there are."""
    for name in client.scan_iter(_type="list"):
        for text in client.lrange(name, 0, -1):
            if number_in(text) == number:
                client.lpush(name, *(_again(text, copy % 2 == 0) for copy in range(COPIES - 1)))
                return COPIES
    raise AssertionError(f"payment {number} is in no queue")


def _again(text: str, same_id: bool) -> str:
    message = json.loads(text)
    message["properties"]["delivery_tag"] = str(uuid4())
    if not same_id:
        task_id = str(uuid4())
        message["headers"].update(id=task_id, root_id=task_id)
        message["properties"]["correlation_id"] = task_id
    return json.dumps(message)


def _kill_in(arena: Arena, numbers: range, chance: random.Random) -> None:
    """Kills a worker, whole, somewhere in a payment."""
    arena.crew.wait_ready()
    arena.sender.send(TASK, dict.fromkeys(numbers, (SECONDS,)))

    def began() -> list[str]:
        return [start.worker for start in arena.ledger.starts() if start.number in numbers]

    worker = chance.choice(wait_for("a payment under way", began))
    time.sleep(chance.uniform(0, SECONDS))
    post = next((post for post in arena.crew.posts if post.name == worker), arena.crew.posts[0])
    arena.crew.kill(post)


def _settle(arena: Arena, seconds: float) -> None:
    """Until every payment has come, and no message is left that could bring another."""
    deadline, quiet = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and quiet < QUIET_LOOKS:
        with arena.redis as client:
            places = set(census(client).values()) - {DEAD}
        over = not places or (arena.for_an_hour and QUEUED not in places)
        quiet = quiet + 1 if over else 0
        time.sleep(0.5)


def _count(arena: Arena, path: str, kills: int, deliveries: int) -> Counts:
    paid = money.balances(path)
    with arena.redis as client:
        where = census(client)
    unpaid = {number for number, amount in paid.items() if not amount}
    counts = Counts(
        sent=len(paid),
        run=len(paid) - len(unpaid),
        lost=len(unpaid - where.keys()),
        stuck=len(unpaid & where.keys()),
        twice=sum(amount > 1 for amount in paid.values()),
    )
    counts.measured = {
        "deliveries": deliveries,
        "kills": kills,
        "bodies_run": len(arena.ledger.starts()),
        "payments_too_many": sum(paid.values()) - counts.run,
    }
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0


DRILL = Drill(
    name="duplicate",
    promise="100 deliveries of one key, or kill -9 inside the task: it takes effect once",
    play=play,
    kept=kept,
)
