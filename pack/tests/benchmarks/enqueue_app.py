"""The ways to enqueue; BENCH_WAY selects one.

Those in transactions insert a row of an order in each. `celery` uses stock's `delay_on_commit`.
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
    """A task that nothing runs."""


stocks: Any = empty  # a DjangoTask, which its types do not say


def _order(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_orders VALUES (%s)", [number])


def commit(count: int) -> None:
    """Publishes right after the commit in the caller, which is the default."""
    for number in range(count):
        with transaction.atomic():
            _order(number)
            tasks.threads.delay(number)


def durable(count: int) -> None:
    """Does the same from THREADS threads, each with a database connection."""
    parts = [count // THREADS] * THREADS
    for _ in POOL.map(commit, parts):
        pass


def left(count: int) -> None:
    """Leaves the publishing to a relay in another process."""
    options.OUTBOX_PUBLISH_AFTER_COMMIT = False  # type: ignore[misc]
    commit(count)


def celery(count: int) -> None:
    """Publishes with stock Celery after the commit."""
    for number in range(count):
        with transaction.atomic():
            _order(number)
            stocks.delay_on_commit(number)


def relay(count: int) -> None:
    """Inserts outbox rows (a tenth of the time), then relays them."""
    options.OUTBOX_PUBLISH_AFTER_COMMIT = False  # type: ignore[misc]
    with transaction.atomic():
        enqueue_many(tasks.threads, [(number,) for number in range(count)])
    one = Relay(app)
    while one.send():
        pass
    one.sender.pool.close()


def loop(count: int) -> None:
    """Calls `delay()` for each message."""
    for number in range(count):
        tasks.threads.delay(number)


def many(count: int) -> None:
    """Publishes a batch from one prepared message, without signals."""
    enqueue_many(tasks.threads, [(number,) for number in range(count)], signals=False)


def each(count: int) -> None:
    """Publishes a batch with the signals of each message."""
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
