"""Ours: tasks with a query, published as a web process does."""

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from tests.benchmarks import tasks  # noqa: E402

TASKS = {"threads": tasks.query_threads, "prefork": tasks.query_prefork}
call_command("migrate", verbosity=0)


def send(count: int, pool: str) -> None:
    task = TASKS[pool]
    for number in range(count):
        task.delay(number)
