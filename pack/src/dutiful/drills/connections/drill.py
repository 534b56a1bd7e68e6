"""Drill `connections`: four workers of a hundred threads, and a database that accepts 40 clients.

Three of those are reserved for superusers. Every task runs one query, then waits as if for a
service. `lost` counts tasks that left no row; on stock Celery the server refused their connection,
which `refused_connects` counts. `most_connections` is the most that the server had at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from dutiful.drills.connections import visit
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import System
from dutiful.testing.postgres import QUICK, Postgres

MOST: Final = 40
WORKERS: Final = 4
TASKS, QUICK_TASKS = 6_000, 1_200
WAIT, QUICK_WAIT = 300, 90
SLOTS: Final = ("-P", "threads", "-c", "100")
ROLE: Final = "drill"
"""A role that is no superuser, since superusers may use the three reserved connections."""


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends all tasks, then starts the workers."""
    server = Postgres(deployment.folder / "postgres", {**QUICK, "max_connections": str(MOST)})
    deployment.ends.enter_context(server)
    server.sql(f"CREATE ROLE {ROLE} LOGIN")
    server.sql(f"CREATE DATABASE {ROLE} OWNER {ROLE}")
    server.sql(f"SET ROLE {ROLE}; {visit.TABLE}", ROLE)
    url = server.url(ROLE).replace("postgres@", f"{ROLE}@")
    deployment.environment |= {"DATABASE_URL": url, "DRILL_DATABASE_PORT": str(server.port)}
    if deployment.system.is_ours:
        deployment.manage("migrate", "-v0")
    else:
        deployment.environment["DJANGO_SETTINGS_MODULE"] = "dutiful.drills.connections.settings"
    count = QUICK_TASKS if quick else TASKS
    deployment.sender.send("dutiful.drills.tasks.visit", dict.fromkeys(range(count), ()))
    with _clients_counted(server) as seen:
        deployment.start_workers()
        deployment.wait_until_done(count, QUICK_WAIT if quick else WAIT)
    return _count(deployment, server, count, max(seen))


@contextmanager
def _clients_counted(server: Postgres) -> Iterator[list[int]]:
    """Yields a list that gets the number of the server's clients ten times a second."""
    seen, over = [0], threading.Event()
    sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"

    def count() -> None:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            while not over.wait(0.1):
                seen.extend(n for (n,) in connection.execute(sql, [ROLE]).fetchall())

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _count(deployment: Deployment, server: Postgres, count: int, most: int) -> Counts:
    """Counts by the rows that tasks left, not by the run record."""
    rows: dict[int, int] = dict(server.sql(visit.COUNT, ROLE))
    counts = count_tasks(deployment, range(count))
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
    systems=(
        System("stock", "dutiful.drills.connections.stock", (SLOTS,) * WORKERS),
        System("tuned", "dutiful.drills.connections.tuned", (SLOTS,) * WORKERS),
        System("ours", "dutiful.drills.host", (("--profile", "io"),) * WORKERS),
    ),
    run=run,
    kept=kept,
)
