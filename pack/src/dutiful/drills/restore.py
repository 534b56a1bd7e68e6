"""Drill `restore`: the broker's disk is gone, and a copy that is one hour old is brought back.

When the copy was made payments waited and ran; all have been paid since, and one of two workers has
been restarted. A copy of an hour cannot be waited for: its clocks are turned back by one. While the
server is away requests enqueue. `lost_with_the_disk`: what was sent after the copy and had not run
when the server went, known to nobody any more: so it is with any broker, and counts as sent
nowhere. run, lost and twice count payments and what the requests enqueued. `recovery_seconds`: from
the server's return until everything has run.
"""

import time
from collections import Counter
from typing import Any, Final

import redis

from dutiful.dev.backup import broker as backup
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills import money
from dutiful.drills.arena import Arena
from dutiful.drills.census import DEAD, census
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.drills.web import Web, web
from dutiful.testing.processes import wait_for

AGE: Final = 3600.0
"""Seconds of the copy."""
PAYMENTS, QUICK_PAYMENTS = 600, 90
SECONDS: Final = 1.0
"""Of a payment. Each of two workers runs thirty at a time."""
NEWER: Final = 40
"""Payments sent after the copy that are paid before the server goes."""
TOO_NEW: Final = 200
"""Payments sent just before it goes."""
REQUESTS, QUICK_REQUESTS = 200, 40
AWAY: Final = 3.0
"""Seconds without a server."""
WAIT, QUICK_WAIT = 90.0, 25.0
QUIET: Final = 3.0
"""Seconds without any message in the broker, after which no second payment is on its way."""
PAY: Final = "dutiful.drills.tasks.pay"


def play(arena: Arena, quick: bool) -> Counts:
    """600 payments and 200 requests (quick: 90 and 40)."""
    payments = QUICK_PAYMENTS if quick else PAYMENTS
    requests = QUICK_REQUESTS if quick else REQUESTS
    newer = range(payments, payments + NEWER)
    too_new = range(newer.stop, newer.stop + TOO_NEW)
    requested = range(too_new.stop, too_new.stop + requests)
    accounts = str(arena.folder / "db.sqlite3")
    arena.environment["DRILL_MONEY"] = accounts
    arena.shorten(lease=3, visibility=60, stock_too=True)
    with web(arena) as client:
        money.open_accounts(accounts, range(requested.start))
        posts = arena.start_workers()
        arena.sender.send(PAY, dict.fromkeys(range(payments), (SECONDS,)))
        time.sleep(SECONDS / 2)
        _copy(arena)
        arena.crew.terminate(posts[0])
        arena.crew.wait_ready()
        arena.sender.send(PAY, dict.fromkeys(newer, (SECONDS,)))
        _paid(arena, accounts, newer.stop)
        arena.sender.send(PAY, dict.fromkeys(too_new, (SECONDS,)))
        arena.broker.kill()
        failed = _requests(client, requested)
        _bring_back(arena)
        returned = time.monotonic()
        settled = _settle(arena, QUICK_WAIT if quick else WAIT)
    return _count(arena, accounts, newer.stop, too_new, requested, failed, settled - returned)


def _copy(arena: Arena) -> None:
    with arena.redis as client:
        backup.begin(client)
        backup.finish(client, arena.folder / "copy.rdb")


def _paid(arena: Arena, accounts: str, count: int) -> None:
    def all_paid() -> bool:
        return sum(1 for amount in money.balances(accounts).values() if amount) == count

    wait_for("the payments", all_paid, 120)
    time.sleep(SECONDS)  # they end and are acknowledged


def _requests(client: Web, numbers: range) -> int:
    """How many failed."""
    client.tell(outage=[numbers.start, len(numbers), AWAY])
    client.answer()
    client.tell(report=[len(numbers), 10])
    ended: list[Any] = client.answer()
    return len(numbers) - sum(1 for *_, error in ended if not error)


def _bring_back(arena: Arena) -> None:
    """The copy, as it would be an hour later, at the address of the server that is gone."""
    folder = arena.broker.folder
    folder.rename(folder.with_name("broker-gone"))
    backup.put_in_place(arena.folder / "copy.rdb", folder)
    with EmbeddedBroker(folder) as aside:
        client = redis.Redis.from_url(aside.url, decode_responses=True)
        _turn_back(client)
        client.close()
    arena.broker.start()


def _turn_back(client: Any) -> None:
    """Moves all that the server has written down about time into the past."""
    for pattern in ("unacked*", "dutiful:*"):
        for key in client.scan_iter(pattern, _type="zset"):
            for tag, score in client.zrange(key, 0, -1, withscores=True):
                client.zadd(key, {tag: round(score - AGE, 6)})
    for key in client.scan_iter():
        left = client.pttl(key)
        if left >= 0:
            client.pexpire(key, max(1, int(left - AGE * 1000)))


def _settle(arena: Arena, seconds: float) -> float:
    """When the last message was gone; waits for more to come."""
    deadline = time.monotonic() + seconds
    since = time.monotonic()
    while time.monotonic() < min(deadline, since + QUIET):
        with arena.redis as client:
            if set(census(client).values()) - {DEAD}:
                since = time.monotonic()
        time.sleep(0.1)
    return since


def _count(
    arena: Arena,
    accounts: str,
    paid_before: int,
    too_new: range,
    requested: range,
    failed: int,
    recovery: float,
) -> Counts:
    balances = money.balances(accounts)
    ends = Counter(end.number for end in arena.ledger.ends())
    done = {number: balances[number] for number in range(paid_before)}
    done |= {number: ends[number] for number in requested}
    with arena.redis as client:
        where = census(client)
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
    promise="an old copy of the broker pays nothing twice, and what the outbox holds is still sent",
    contenders=contenders(stock=(THREADS, THREADS), ours=(OURS[0], OURS[0])),
    play=play,
    kept=kept,
)
