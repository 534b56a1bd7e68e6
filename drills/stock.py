"""Celery as it comes."""

import os

from celery import Celery

from drills import record

app = Celery("stock", broker=os.environ.get("BROKER_URL"))
app.conf.broker_connection_retry_on_startup = True


@app.task(name="drills.tasks.slow")
def slow(number: int, sent: float, seconds: float) -> None:
    record.started(number, "slow", sent, seconds)


@app.task(name="drills.tasks.urgent")
def urgent(number: int, sent: float) -> None:
    record.started(number, "urgent", sent, 0)
