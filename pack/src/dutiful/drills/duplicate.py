"""Drill `duplicate`: one payment is delivered a hundred times, and workers are killed in payments.

First each payment's message is in the queue a hundred times when the workers start: half of them
are the same message, as a broker redelivers it, and half are separate calls. Then workers are
killed with -9 at random moments inside payments. A payment adds one to a balance, so only the task
itself can prevent a second one; `payments_too_many` is the sum of the balances beyond one each.
Stock Celery loses payments that were killed before their effect; tuned repeats those that were
killed after it. run, lost and twice count payments, not runs.
"""

import json
import random
import time
from typing import Any, Final
from uuid import uuid4

from dutiful.drills import accounts
from dutiful.drills.broker_state import DEAD, QUEUED, locate_tasks, task_number
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.testing.processes import wait_for

COPIES: Final = 100
KEYS, QUICK_KEYS = 5, 1
KILLS, QUICK_KILLS = 50, 3
PER_KILL: Final = 8
SECONDS: Final = 1.0
"""How long a payment takes that is killed; its effect is in the middle."""
WAIT, QUICK_WAIT = 300, 40
QUIET_POLLS: Final = 8
"""Polls, 0.5 s apart, without a message left; together longer than a payment takes."""
TASK: Final = "dutiful.drills.tasks.pay"


def run(deployment: Deployment, quick: bool) -> Counts:
    """Delivers each key a hundred times at once; then sends eight payments for each kill."""
    keys, kills = (QUICK_KEYS, QUICK_KILLS) if quick else (KEYS, KILLS)
    many, killed = range(keys), range(keys, keys + kills * PER_KILL)
    path = str(deployment.folder / "db.sqlite3")
    deployment.environment["DRILL_ACCOUNTS"] = path
    deployment.shorten(lease=5, visibility=10)
    if deployment.system.is_ours:
        deployment.manage("migrate", "-v0")
    accounts.open_accounts(path, range(killed.stop))
    deployment.sender.send(TASK, dict.fromkeys(many, (0.2,)))
    with deployment.redis as client:
        deliveries = sum(_copy(client, number) for number in many)
    deployment.start_workers()
    chance = random.Random(7)
    for first in range(killed.start, killed.stop, PER_KILL):
        _kill_in(deployment, range(first, first + PER_KILL), chance)
    _wait_until_done(deployment, QUICK_WAIT if quick else WAIT)
    return _count(deployment, path, kills, deliveries)


def _copy(client: Any, number: int) -> int:
    """Copies a waiting message 99 times; returns how many there are then."""
    for name in client.scan_iter(_type="list"):
        for text in client.lrange(name, 0, -1):
            if task_number(text) == number:
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


def _kill_in(deployment: Deployment, numbers: range, chance: random.Random) -> None:
    """Kills all processes of a worker at a random moment inside a payment."""
    deployment.supervisor.wait_ready()
    deployment.sender.send(TASK, dict.fromkeys(numbers, (SECONDS,)))

    def began() -> list[str]:
        return [start.worker for start in deployment.record.starts() if start.number in numbers]

    name = chance.choice(wait_for("a payment under way", began))
    time.sleep(chance.uniform(0, SECONDS))
    workers = deployment.supervisor.workers
    deployment.supervisor.kill(next((one for one in workers if one.name == name), workers[0]))


def _wait_until_done(deployment: Deployment, seconds: float) -> None:
    """Waits until no message is left that could cause a payment, at most `seconds`."""
    deadline, quiet = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and quiet < QUIET_POLLS:
        with deployment.redis as client:
            places = set(locate_tasks(client).values()) - {DEAD}
        over = not places or (deployment.holds_unacked and QUEUED not in places)
        quiet = quiet + 1 if over else 0
        time.sleep(0.5)


def _count(deployment: Deployment, path: str, kills: int, deliveries: int) -> Counts:
    paid = accounts.balances(path)
    with deployment.redis as client:
        where = locate_tasks(client)
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
        "bodies_run": len(deployment.record.starts()),
        "payments_too_many": sum(paid.values()) - counts.run,
    }
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0


DRILL = Drill(
    name="duplicate",
    promise="100 deliveries of one key, or kill -9 inside the task: it takes effect once",
    run=run,
    kept=kept,
)
