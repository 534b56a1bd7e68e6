"""Drill `connections`: four workers of a hundred threads, and a database that takes 40 clients.

Three of those are the administrator's. Every task asks one query, then waits as if for somebody
else. `lost` counts those that left no row; stock's have failed with the server's refusal, which
`refused_connects` counts. `most_connections` is what the server saw at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from dutiful.drills import visits
from dutiful.drills.arena import Arena
from dutiful.drills.scenario import Contender, Counts, Drill
from dutiful.drills.tally import tally
from dutiful.testing.postgres import QUICK, Postgres

MOST: Final = 40
WORKERS: Final = 4
TASKS, QUICK_TASKS = 6_000, 1_200
WAIT, QUICK_WAIT = 300, 90
SLOTS: Final = ("-P", "threads", "-c", "100")
ROLE: Final = "drill"
"""No superuser: those would take the administrator's three."""


def play(arena: Arena, quick: bool) -> Counts:
    """The tasks wait in the queue when the workers start."""
    server = Postgres(arena.folder / "postgres", {**QUICK, "max_connections": str(MOST)})
    arena.ends.enter_context(server)
    server.sql(f"CREATE ROLE {ROLE} LOGIN")
    server.sql(f"CREATE DATABASE {ROLE} OWNER {ROLE}")
    server.sql(f"SET ROLE {ROLE}; {visits.TABLE}", ROLE)
    url = server.url(ROLE).replace("postgres@", f"{ROLE}@")
    arena.environment |= {"DATABASE_URL": url, "DRILL_DATABASE_PORT": str(server.port)}
    if arena.contender.is_ours:
        arena.manage("migrate", "-v0")
    else:
        arena.environment["DJANGO_SETTINGS_MODULE"] = "dutiful.drills.connections_settings"
    count = QUICK_TASKS if quick else TASKS
    arena.sender.send("dutiful.drills.tasks.visit", dict.fromkeys(range(count), ()))
    with _watched(server) as seen:
        arena.start_workers()
        arena.settle(count, QUICK_WAIT if quick else WAIT)
    return _count(arena, server, count, max(seen))


@contextmanager
def _watched(server: Postgres) -> Iterator[list[int]]:
    """How many clients the server has, ten times a second, this one left out."""
    seen, over = [0], threading.Event()
    sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"

    def look() -> None:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            while not over.wait(0.1):
                seen.extend(n for (n,) in connection.execute(sql, [ROLE]).fetchall())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _count(arena: Arena, server: Postgres, count: int, most: int) -> Counts:
    """By the rows: what a task that ended otherwise says does not count."""
    rows: dict[int, int] = dict(server.sql(visits.COUNT, ROLE))
    counts = tally(arena, range(count))
    counts.run, counts.twice = len(rows), sum(times > 1 for times in rows.values())
    counts.lost = count - counts.run - counts.stuck
    log = (server.folder / "server.log").read_text(errors="replace")
    counts.measured |= {
        "refused_connects": log.count("connection slots are reserved") + log.count("too many cl"),
        "most_connections": most,
    }
    return counts


def kept(ours: Counts) -> bool:
    return ours.complete and ours.twice == 0


DRILL = Drill(
    name="connections",
    promise=f"{WORKERS} workers of 100 threads on a database of {MOST} connections: none fails",
    contenders=(
        Contender("stock", "dutiful.drills.connections_stock", (SLOTS,) * WORKERS),
        Contender("tuned", "dutiful.drills.connections_tuned", (SLOTS,) * WORKERS),
        Contender("ours", "dutiful.drills.host", (("--profile", "io"),) * WORKERS),
    ),
    play=play,
    kept=kept,
)
