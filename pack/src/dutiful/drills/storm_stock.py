"""The task of drill `storm` on stock Celery, with Sentry as its manual sets it up."""

import os

import sentry_sdk
from celery import current_app

from dutiful.drills import storm_failure

if os.environ.get("SENTRY_DSN"):
    sentry_sdk.init(dsn=os.environ["SENTRY_DSN"])
current_app.task(name="drills.charge")(storm_failure.charge)
