"""Ways to enqueue, one of them in BENCH_WAY: in transactions on PostgreSQL, and many at once.

All insert a row of business in each transaction. `celery` is stock's best answer.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django

django.setup()

from celery import Celery  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from dutiful.drills.host.celery import app  # noqa: E402
from dutiful.outbox import options  # noqa: E402
from dutiful.outbox.relay import Relay  # noqa: E402
from dutiful.publishing.batch import enqueue_many  # noqa: E402
from tests.benchmarks import tasks  # noqa: E402

THREADS = 16
POOL = ThreadPoolExecutor(THREADS)
WAY = os.environ["BENCH_WAY"]
stock = Celery("stock", broker=os.environ.get("BROKER_URL"), set_as_current=False)


@stock.task(name="empty")
def empty(number: int) -> None:
    """Never run here."""


stocks: Any = empty  # a DjangoTask, which its types do not say


def _order(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_orders VALUES (%s)", [number])


def commit(count: int) -> None:
    """As it is by default: published right after the commit, by the caller."""
    for number in range(count):
        with transaction.atomic():
            _order(number)
            tasks.threads.delay(number)


def durable(count: int) -> None:
    """The same from as many threads as a busy web process has, each with a connection."""
    parts = [count // THREADS] * THREADS
    for _ in POOL.map(commit, parts):
        pass


def left(count: int) -> None:
    """Left to the relay, which a process beside does."""
    options.OUTBOX_PUBLISH_AFTER_COMMIT = False  # type: ignore[misc]
    commit(count)


def celery(count: int) -> None:
    for number in range(count):
        with transaction.atomic():
            _order(number)
            stocks.delay_on_commit(number)


def relay(count: int) -> None:
    """Rows are made (a tenth of the time) and relayed."""
    options.OUTBOX_PUBLISH_AFTER_COMMIT = False  # type: ignore[misc]
    with transaction.atomic():
        enqueue_many(tasks.threads, [(number,) for number in range(count)])
    one = Relay(app)
    while one.send():
        pass
    one.sender.publishers.close()


def loop(count: int) -> None:
    for number in range(count):
        tasks.threads.delay(number)


def many(count: int) -> None:
    """From one prepared template."""
    enqueue_many(tasks.threads, [(number,) for number in range(count)], signals=False)


def each(count: int) -> None:
    """With the signals of each message."""
    enqueue_many(tasks.threads, [(number,) for number in range(count)])


WAYS: dict[str, Callable[[int], None]] = {
    one.__name__: one for one in (commit, durable, left, celery, relay, loop, many, each)
}
if WAY in ("commit", "durable", "left", "celery", "relay"):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_orders (number integer)")


def send(count: int, pool: str) -> None:
    WAYS[WAY](count)


def batch(count: int, pool: str) -> None:
    WAYS[WAY](count)
