"""Stock Celery with stock Django: tasks with a query."""

import os

from celery import Celery

from tests.benchmarks import query

app = Celery("stock", broker=os.environ.get("BROKER_URL"))
app.conf.update(task_acks_late=True, broker_connection_retry_on_startup=True)


@app.task(name="ask")
def ask(number: int) -> None:
    query.ask()


def send(count: int, pool: str) -> None:
    for number in range(count):
        ask.delay(number)
