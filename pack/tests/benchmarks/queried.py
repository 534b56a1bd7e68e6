"""The benchmark of tasks with a query: a connection for each task against a pool.

Stock is stock Celery with stock Django. Each system has a PostgreSQL server of its own.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from dutiful.testing.postgres import Postgres
from tests.benchmarks.systems import OURS, STOCK, System


def _stock(pool: str, slots: int, url: str) -> list[str]:
    app = "tests.benchmarks.queried_stock"
    return ["celery", "-A", app, "worker", "-l", "INFO", "-P", pool, "-c", str(slots)]


@contextmanager
def on_postgres(system: System) -> Iterator[System]:
    """Yields the system with an empty server of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Postgres(Path(folder)) as server:
        server_environment = {"DATABASE_URL": server.url(), "BENCH_DATABASE_PORT": str(server.port)}
        yield replace(system, environment={**system.environment, **server_environment})


PAIR: Final = (
    System(
        "stock",
        "tests.benchmarks.queried_stock",
        _stock,
        2_000,
        STOCK.promises,
        {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings_queried"},
    ),
    replace(OURS, module="tests.benchmarks.queried_app", backlog=10_000),
)
