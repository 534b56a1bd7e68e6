"""The task of drill `storm` on stock Celery, with Sentry set up as its manual says."""

import os

import sentry_sdk
from celery import current_app

from dutiful.drills.storm import failure

if os.environ.get("SENTRY_DSN"):
    sentry_sdk.init(dsn=os.environ["SENTRY_DSN"])
current_app.task(name="drills.charge")(failure.charge)
