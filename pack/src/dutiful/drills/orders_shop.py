"""A database with its replica, a contender's workers beside it, and the client that has orders."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from dutiful.drills import orders
from dutiful.drills.arena import Arena
from dutiful.drills.replica import PRIMARY, Replica
from dutiful.drills.sender import Sender
from dutiful.testing.postgres import QUICK, Postgres

ROOM: Final = {**PRIMARY, "max_connections": "200"}


@contextmanager
def servers(
    arena: Arena, settings: Mapping[str, str] = QUICK
) -> Iterator[tuple[Postgres, Replica]]:
    """Primary and replica, with the table of orders; the contender knows both."""
    found = {**settings, **ROOM}
    with Postgres(arena.folder / "primary", found) as primary:
        primary.sql(orders.CREATE)
        with Replica(arena.folder / "replica", primary, found) as replica:
            arena.environment |= {"DATABASE_URL": primary.url(), "REPLICA_URLS": replica.url()}
            if not arena.contender.is_ours:
                arena.environment["DJANGO_SETTINGS_MODULE"] = "dutiful.drills.orders_settings"
            yield primary, replica


@contextmanager
def shop(arena: Arena, module: str) -> Iterator[Sender]:
    """Workers that have the tasks of `module`_tasks (stock: `module`_stock), and the client."""
    ours = arena.contender.is_ours
    tasks = f"{module}_tasks" if ours else f"{module}_stock"
    if ours:
        arena.manage("migrate", "-v0")
    enqueue = "apply_async" if ours else "apply_async_on_commit"
    arena.environment["DRILL_ENQUEUE"] = enqueue
    arena.start_workers((*arena.contender.workers[0], "-I", tasks))
    client = Sender(
        arena.contender.app,
        [tasks],
        {**os.environ, **arena.environment},
        arena.folder / "orders.log",
        "dutiful.drills.orders_client",
    )
    try:
        yield client
    finally:
        client.stop()
        arena.crew.stop()  # before their database goes
