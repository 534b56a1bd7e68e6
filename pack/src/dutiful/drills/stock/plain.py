"""Celery with its defaults. Imports nothing of the pack but the tasks' bodies."""

import os

from celery import Celery

from dutiful.drills import task_bodies

app = Celery("stock", broker=os.environ.get("BROKER_URL"))
app.conf.broker_connection_retry_on_startup = True

for body in (
    task_bodies.slow,
    task_bodies.urgent,
    task_bodies.crunch,
    task_bodies.poison,
    task_bodies.pay,
):
    app.task(name=f"dutiful.drills.tasks.{body.__name__}")(body)

VISIBILITY = float(os.environ.get("DRILL_VISIBILITY_SECONDS") or 0)
"""Seconds. Drills that last seconds shorten the visibility timeout of an hour, and its scans."""
if VISIBILITY:
    app.conf.broker_transport_options = {
        "visibility_timeout": VISIBILITY,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
