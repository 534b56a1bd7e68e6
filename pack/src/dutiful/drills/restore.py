"""Drill `restore`: the broker's disk is lost, and a copy that is one hour old is restored.

When the copy was made, payments waited and ran; since then all have been paid, and one of two
workers was restarted. Instead of waiting an hour, the drill moves the times in the copy back by an
hour. Requests enqueue while the broker is down. `lost_with_the_disk` counts payments that were sent
after the copy and had not run when the disk was lost: no broker can restore them, so they do not
count as sent. run, lost and twice count payments and the tasks of the requests. `recovery_seconds`
is the time from the broker's return until everything has run.
"""

import time
from collections import Counter
from typing import Any, Final

import redis

from dutiful.dev.backup import broker as backup
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills import accounts
from dutiful.drills.broker_state import DEAD, locate_tasks
from dutiful.drills.clients.web import Web, web
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import OURS, THREADS, systems
from dutiful.testing.processes import wait_for

AGE: Final = 3600.0
"""The age of the copy, in seconds."""
PAYMENTS, QUICK_PAYMENTS = 600, 90
SECONDS: Final = 1.0
"""The run time of a payment. Each of two workers runs thirty at a time."""
NEWER: Final = 40
"""Payments sent after the copy and paid before the disk is lost."""
TOO_NEW: Final = 200
"""Payments sent just before the disk is lost."""
REQUESTS, QUICK_REQUESTS = 200, 40
DOWN: Final = 3.0
"""Seconds without a broker."""
WAIT, QUICK_WAIT = 90.0, 25.0
QUIET: Final = 3.0
"""Seconds without any message in the broker, after which no second payment is expected."""
PAY: Final = "dutiful.drills.tasks.pay"


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends 600 payments and 200 requests (quick: 90 and 40)."""
    payments = QUICK_PAYMENTS if quick else PAYMENTS
    requests = QUICK_REQUESTS if quick else REQUESTS
    newer = range(payments, payments + NEWER)
    too_new = range(newer.stop, newer.stop + TOO_NEW)
    requested = range(too_new.stop, too_new.stop + requests)
    path = str(deployment.folder / "db.sqlite3")
    deployment.environment["DRILL_ACCOUNTS"] = path
    deployment.shorten(lease=3, visibility=60, stock_too=True)
    with web(deployment) as client:
        accounts.open_accounts(path, range(requested.start))
        first, _ = deployment.start_workers()
        deployment.sender.send(PAY, dict.fromkeys(range(payments), (SECONDS,)))
        time.sleep(SECONDS / 2)
        _copy(deployment)
        deployment.supervisor.terminate(first)
        deployment.supervisor.wait_ready()
        deployment.sender.send(PAY, dict.fromkeys(newer, (SECONDS,)))
        _wait_until_paid(deployment, path, newer.stop)
        deployment.sender.send(PAY, dict.fromkeys(too_new, (SECONDS,)))
        deployment.broker.kill()
        failed = _requests(client, requested)
        _restore(deployment)
        returned = time.monotonic()
        settled = _wait_until_empty(deployment, QUICK_WAIT if quick else WAIT)
    return _count(deployment, path, newer.stop, too_new, requested, failed, settled - returned)


def _copy(deployment: Deployment) -> None:
    with deployment.redis as client:
        backup.begin(client)
        backup.finish(client, deployment.folder / "copy.rdb")


def _wait_until_paid(deployment: Deployment, path: str, count: int) -> None:
    def all_paid() -> bool:
        return sum(1 for amount in accounts.balances(path).values() if amount) == count

    wait_for("the payments", all_paid, 120)
    time.sleep(SECONDS)  # they end and are acknowledged


def _requests(client: Web, numbers: range) -> int:
    """Sends the requests; returns how many failed."""
    client.command(outage=[numbers.start, len(numbers), DOWN])
    client.answer()
    client.command(report=[len(numbers), 10])
    ended: list[Any] = client.answer()
    return len(numbers) - sum(1 for *_, error in ended if not error)


def _restore(deployment: Deployment) -> None:
    """Starts the broker at its old address with the copy, as if that were an hour old."""
    folder = deployment.broker.folder
    folder.rename(folder.with_name("broker-gone"))
    backup.put_in_place(deployment.folder / "copy.rdb", folder)
    with EmbeddedBroker(folder) as copy:
        client = redis.Redis.from_url(copy.url, decode_responses=True)
        _age(client)
        client.close()
    deployment.broker.start()


def _age(client: Any) -> None:
    """Moves every time that is stored in the broker back by AGE, also those of our leases."""
    for pattern in ("unacked*", "dutiful:*"):
        for key in client.scan_iter(pattern, _type="zset"):
            for tag, score in client.zrange(key, 0, -1, withscores=True):
                client.zadd(key, {tag: round(score - AGE, 6)})
    for key in client.scan_iter():
        left = client.pttl(key)
        if left >= 0:
            client.pexpire(key, max(1, int(left - AGE * 1000)))


def _wait_until_empty(deployment: Deployment, seconds: float) -> float:
    """Waits until no message is left; returns when that began, in monotonic seconds."""
    deadline = time.monotonic() + seconds
    since = time.monotonic()
    while time.monotonic() < min(deadline, since + QUIET):
        with deployment.redis as client:
            if set(locate_tasks(client).values()) - {DEAD}:
                since = time.monotonic()
        time.sleep(0.1)
    return since


def _count(
    deployment: Deployment,
    path: str,
    paid_before: int,
    too_new: range,
    requested: range,
    failed: int,
    recovery: float,
) -> Counts:
    balances = accounts.balances(path)
    ends = Counter(end.number for end in deployment.record.ends())
    done = {number: balances[number] for number in range(paid_before)}
    done |= {number: ends[number] for number in requested}
    with deployment.redis as client:
        where = locate_tasks(client)
    missing = {number for number, times in done.items() if not times}
    counts = Counts(
        sent=len(done),
        run=len(done) - len(missing),
        lost=len(missing - where.keys()),
        stuck=len(missing & where.keys()),
        twice=sum(times > 1 for times in done.values()),
        measured={
            "payments_too_many": sum(max(0, amount - 1) for amount in balances.values()),
            "requests_failed": failed,
            "lost_with_the_disk": sum(not balances[number] for number in too_new),
            "dead_letters": sum(place == DEAD for place in where.values()),
        },
    )
    if counts.complete:
        counts.recovery_seconds = round(recovery, 1)
    return counts


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return ours.complete and ours.twice == seen["payments_too_many"] == seen["dead_letters"] == 0


DRILL = Drill(
    name="restore",
    promise="an old copy of the broker pays nothing twice, and the outbox still sends its rows",
    systems=systems(stock=(THREADS, THREADS), ours=(OURS[0], OURS[0])),
    run=run,
    kept=kept,
)
