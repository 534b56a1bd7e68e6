"""The benchmarks of enqueueing in transactions, and of enqueueing many messages at once."""

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
from tests.benchmarks.deployment import Turns, deployed
from tests.benchmarks.systems import OURS, System

BLOCK: Final = 100
BLOCKS: Final = {"relay": 2_000, "durable": 1_600}
SETTINGS: Final[dict[str, dict[str, str]]] = {"durable": {}}
MANY: Final = 10_000


def way(name: str, called: str) -> System:
    """Returns ours with one way of `enqueue_app`, under the name for the output."""
    environment = {**OURS.environment, "BENCH_WAY": name}
    module = "tests.benchmarks.enqueue_app"
    return replace(OURS, name=called, module=module, environment=environment)


@contextmanager
def in_transactions(system: System, pool: str) -> Iterator[Turns]:
    """Measures enqueues a second, each in a transaction of its own on PostgreSQL, 100 a block.

    PostgreSQL does not wait for the disk, except in `durable`, since that wait is the same for all
    of them and depends on the disk.
    """
    how = system.environment["BENCH_WAY"]
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        database = ends.enter_context(Postgres(folder / "postgres", SETTINGS.get(how, QUICK)))
        environment = {**system.environment, "DATABASE_URL": database.url()}
        here = ends.enter_context(deployed(replace(system, environment=environment), pool))
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
def many_at_once(system: System, pool: str) -> Iterator[Turns]:
    """Measures messages a second, ten thousand a block."""
    with deployed(system, pool) as here, here.turns("batches", MANY) as turns:
        yield turns


COMMITTED: Final = (way("celery", "stock"), way("commit", "ours"))
LEFT: Final = (
    way("left", "left to the relay"),
    way("relay", "one relay"),
    way("durable", "on the disk, 16 threads"),
)
AT_ONCE: Final = (way("loop", "stock"), way("many", "ours"))
EACH: Final = (way("each", "with signals for each"),)
