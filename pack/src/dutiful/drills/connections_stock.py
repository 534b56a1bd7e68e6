"""Celery as it comes, beside Django as it comes. Imports nothing of the project."""

from dutiful.drills import visits
from dutiful.drills.stock import app as app

app.task(name="dutiful.drills.tasks.visit")(visits.visit)
