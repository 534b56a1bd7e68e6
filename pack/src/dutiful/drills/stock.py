"""Celery as it comes. Imports nothing of the project."""

import os

from celery import Celery

from dutiful.drills import work

app = Celery("stock", broker=os.environ.get("BROKER_URL"))
app.conf.broker_connection_retry_on_startup = True

for body in (work.slow, work.urgent, work.crunch, work.poison, work.pay):
    app.task(name=f"dutiful.drills.tasks.{body.__name__}")(body)

VISIBILITY = float(os.environ.get("DRILL_VISIBILITY_SECONDS") or 0)
"""Drills shorten the hour of stock Celery for what runs in seconds, and its scans with it."""
if VISIBILITY:
    app.conf.broker_transport_options = {
        "visibility_timeout": VISIBILITY,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
