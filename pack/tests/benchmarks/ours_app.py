"""Ours, publishing as a web process does. The worker is `celery -A dutiful.drills.host`."""

import django

django.setup()

from dutiful.publishing.batch import publish_batch  # noqa: E402
from tests.benchmarks import tasks  # noqa: E402

TASKS = {"threads": tasks.threads, "prefork": tasks.prefork}


def send(count: int, pool: str) -> None:
    task = TASKS[pool]
    for number in range(count):
        task.delay(number)


def batch(count: int, pool: str) -> None:
    """Publishes `count` messages in one call."""
    publish_batch(TASKS[pool], [(number,) for number in range(count)])
