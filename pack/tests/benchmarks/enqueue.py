"""The benchmarks of enqueueing: in transactions, and many at once."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from dutiful import env
from dutiful.testing.postgres import QUICK, Postgres
from tests.benchmarks.contenders import OURS, Contender
from tests.benchmarks.place import Turns, place

BLOCK: Final = 100
BLOCKS: Final = {"relay": 2_000, "durable": 1_600}
SETTINGS: Final[dict[str, dict[str, str]]] = {"durable": {}}
MANY: Final = 10_000


def way(name: str, called: str) -> Contender:
    """One way of enqueue_app, under the name that the output gives it."""
    environment = {**OURS.environment, "BENCH_WAY": name}
    module = "tests.benchmarks.enqueue_app"
    return replace(OURS, name=called, module=module, environment=environment)


@contextmanager
def in_transactions(contender: Contender, pool: str) -> Iterator[Turns]:
    """Enqueues a second, each in a transaction of its own on PostgreSQL, a hundred a block.

    PostgreSQL does not wait for the disk here: that is one wait a commit for all of them, and says
    more of the disk and of who else uses it. Where it does, a process's threads wait together.
    """
    how = contender.environment["BENCH_WAY"]
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        database = ends.enter_context(Postgres(folder / "postgres", SETTINGS.get(how, QUICK)))
        environment = {**contender.environment, "DATABASE_URL": database.url()}
        here = ends.enter_context(place(replace(contender, environment=environment), pool))
        everything = {**os.environ, **here.environment}
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=env.ROOT, env=everything, check=True)
        if how == "left":
            words = ["manage.py", "outbox", "relay", "--forever"]
            relay = subprocess.Popen([sys.executable, *words], cwd=env.ROOT, env=everything)
            ends.callback(relay.wait)
            ends.callback(relay.terminate)
        with here.turns("rate", BLOCKS.get(how, BLOCK)) as turns:
            yield turns


@contextmanager
def many_at_once(contender: Contender, pool: str) -> Iterator[Turns]:
    """Messages a second, ten thousand a block."""
    with place(contender, pool) as here, here.turns("batches", MANY) as turns:
        yield turns


COMMITTED: Final = (way("celery", "stock"), way("commit", "ours"))
LEFT: Final = (
    way("left", "left to the relay"),
    way("relay", "one relay"),
    way("durable", "on the disk, 16 threads"),
)
AT_ONCE: Final = (way("loop", "stock"), way("many", "ours"))
EACH: Final = (way("each", "with signals for each"),)
