"""Stock Celery with its defaults and late acks, so that it promises the same as ours."""

import os

from celery import Celery

from tests.benchmarks import record

app = Celery("stock", broker=os.environ.get("BROKER_URL"))
app.conf.update(task_acks_late=True, broker_connection_retry_on_startup=True)


@app.task(name="empty")
def empty(number: int) -> None:
    record.ran()


def send(count: int, pool: str) -> None:
    for number in range(count):
        empty.delay(number)


def batch(count: int, pool: str) -> None:
    """Stock Celery has no batch of one task: so many calls of delay()."""
    send(count, pool)
