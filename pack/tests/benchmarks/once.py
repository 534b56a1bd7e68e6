"""The benchmark of idempotency: the cost of a key in a run, on PostgreSQL and on SQLite."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dutiful import env
from dutiful.testing.postgres import Postgres
from tests.benchmarks.deployment import deployed
from tests.benchmarks.systems import OURS, System

BLOCK: Final = 50
APP: Final = "tests.benchmarks.once_app"


class Counted:
    """Counts the queries of a key. It has the interface of Turns."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def take(self) -> list[float]:
        """Returns the count, in a list."""
        done = subprocess.run(
            [sys.executable, "-m", APP],
            cwd=env.ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return [float(done.stdout)]


def way(task: str, database: str, called: str) -> System:
    """Returns ours with this task and database, under the name `called`."""
    environment = {**OURS.environment, "BENCH_WAY": task, "BENCH_DATABASE": database}
    return replace(OURS, name=called, module=APP, environment=environment)


@contextmanager
def runs(system: System, pool: str) -> Iterator[Any]:
    """Measures runs a second of one thread, fifty a block; or counts queries."""
    environment = system.environment
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        if environment["BENCH_DATABASE"] == "postgres":
            database = ends.enter_context(
                Postgres(folder / "postgres", {})
            )  # commits wait for the disk
            environment = {**environment, "DATABASE_URL": database.url()}
        here = ends.enter_context(deployed(replace(system, environment=environment), pool))
        if environment["BENCH_WAY"] == "queries":
            yield Counted(here.environment)
        else:
            yield ends.enter_context(here.turns("rate", BLOCK))


PAIR: Final = (way("plain", "postgres", "stock"), way("once", "postgres", "ours"))
OTHERS: Final = (
    way("plain", "sqlite", "without a key on SQLite"),
    way("once", "sqlite", "with a key on SQLite"),
    way("queries", "postgres", "queries a key costs in a run"),
)
