"""Runs the same task with and without an idempotency key: BENCH_WAY is `once` or `plain`.

Each run inserts a row in a transaction of its own, as a worker would run it, without a broker.
Run as a program, this module prints how many queries the key costs in a run.
"""

import itertools
import os
import time

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from dutiful.drills.host.celery import app  # noqa: E402
from dutiful.testing.cases import run_as_worker  # noqa: E402
from tests.benchmarks import tasks  # noqa: E402

call_command("migrate", verbosity=0)
with connection.cursor() as _cursor:
    _cursor.execute("CREATE TABLE IF NOT EXISTS bench_effects (number bigint)")
app.finalize()
TASKS = {"plain": tasks.plain, "once": tasks.once}
numbers = itertools.count(time.time_ns())  # never one that was used before


def send(count: int, pool: str) -> None:
    """Runs the task `count` times, each with a key of its own."""
    task = TASKS[os.environ["BENCH_WAY"]]
    for number in itertools.islice(numbers, count):
        run_as_worker(task, (number,))


def queries(way: str) -> int:
    """Returns the statements of one run, without BEGIN and COMMIT."""
    counted = 0

    def count(execute: object, *query: object) -> object:
        nonlocal counted
        counted += 1
        return execute(*query)  # type: ignore[operator]

    with connection.execute_wrapper(count):
        run_as_worker(TASKS[way], (next(numbers),))
    return counted


if __name__ == "__main__":
    print(queries("once") - queries("plain"))
