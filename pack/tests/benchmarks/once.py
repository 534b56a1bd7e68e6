"""The benchmark of idempotency: what a key costs a run, on PostgreSQL and on SQLite."""

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
from tests.benchmarks.contenders import OURS, Contender
from tests.benchmarks.place import place

BLOCK: Final = 50
APP: Final = "tests.benchmarks.once_app"


class Counted:
    """A figure that is counted and not timed, in the place of turns."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def take(self) -> list[float]:
        done = subprocess.run(
            [sys.executable, "-m", APP],
            cwd=env.ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return [float(done.stdout)]


def way(task: str, database: str, called: str) -> Contender:
    environment = {**OURS.environment, "BENCH_WAY": task, "BENCH_DATABASE": database}
    return replace(OURS, name=called, module=APP, environment=environment)


@contextmanager
def runs(contender: Contender, pool: str) -> Iterator[Any]:
    """Runs a second of one thread, fifty a block; or queries a run."""
    environment = contender.environment
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        if environment["BENCH_DATABASE"] == "postgres":
            database = ends.enter_context(Postgres(folder / "postgres", {}))  # commits on the disk
            environment = {**environment, "DATABASE_URL": database.url()}
        here = ends.enter_context(place(replace(contender, environment=environment), pool))
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
