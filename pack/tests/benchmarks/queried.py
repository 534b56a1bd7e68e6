"""The benchmark of tasks with a query: what a connection for each task costs, and what a pool does.

Stock is Celery with Django as it comes; both on a PostgreSQL of their own.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from dutiful.testing.postgres import Postgres
from tests.benchmarks.contenders import OURS, STOCK, Contender


def _stock(pool: str, slots: int, url: str) -> list[str]:
    app = "tests.benchmarks.queried_stock"
    return ["celery", "-A", app, "worker", "-l", "INFO", "-P", pool, "-c", str(slots)]


@contextmanager
def on_postgres(contender: Contender) -> Iterator[Contender]:
    """The same contender with an empty server for itself."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Postgres(Path(folder)) as server:
        place = {"DATABASE_URL": server.url(), "BENCH_DATABASE_PORT": str(server.port)}
        yield replace(contender, environment={**contender.environment, **place})


PAIR: Final = (
    Contender(
        "stock",
        "tests.benchmarks.queried_stock",
        _stock,
        2_000,
        STOCK.promises,
        {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings_queried"},
    ),
    replace(OURS, module="tests.benchmarks.queried_app", backlog=10_000),
)
