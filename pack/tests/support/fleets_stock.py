"""Stock Celery, nothing of the pack: `celery -A tests.support.fleets_stock worker`."""

import os

from celery import Celery

from tests.support.fleets_work import NAME, note

app = Celery("stock", broker=os.environ["BROKER_URL"])
app.conf.task_acks_late = True
app.conf.broker_connection_retry_on_startup = True
app.task(name=NAME, ignore_result=True)(note)
