"""Celery as it comes, beside Django as it comes. Imports nothing of the project."""

from drills import visits
from drills.stock import app as app

app.task(name="drills.tasks.visit")(visits.visit)
