"""The servers of drills `lag` and `failover`, and a system's workers and client on them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from dutiful.drills.clients.sender import Sender
from dutiful.drills.deployment import Deployment
from dutiful.drills.orders import model
from dutiful.testing.postgres import QUICK, Postgres
from dutiful.testing.replica import PRIMARY, Replica

SETTINGS: Final = {**PRIMARY, "max_connections": "200"}


@contextmanager
def servers(
    deployment: Deployment, settings: Mapping[str, str] = QUICK
) -> Iterator[tuple[Postgres, Replica]]:
    """Yields a primary and its replica, with the table of orders; the system has both URLs."""
    found = {**settings, **SETTINGS}
    with Postgres(deployment.folder / "primary", found) as primary:
        primary.sql(model.CREATE)
        with Replica(deployment.folder / "replica", primary, found) as replica:
            deployment.environment |= {"DATABASE_URL": primary.url(), "REPLICA_URLS": replica.url()}
            if not deployment.system.is_ours:
                deployment.environment["DJANGO_SETTINGS_MODULE"] = "dutiful.drills.orders.settings"
            yield primary, replica


@contextmanager
def started(deployment: Deployment) -> Iterator[Sender]:
    """Starts workers that have the tasks of orders; yields the client."""
    ours = deployment.system.is_ours
    tasks = "dutiful.drills.orders." + ("ours" if ours else "stock")
    if ours:
        deployment.manage("migrate", "-v0")
    enqueue = "apply_async" if ours else "apply_async_on_commit"
    deployment.environment["DRILL_ENQUEUE"] = enqueue
    deployment.start_workers((*deployment.system.workers[0], "-I", tasks))
    client = Sender(
        deployment.system.app,
        [tasks],
        {**os.environ, **deployment.environment},
        deployment.folder / "orders.log",
        "dutiful.drills.orders.client",
    )
    try:
        yield client
    finally:
        client.stop()
        deployment.supervisor.stop()  # before their database goes
