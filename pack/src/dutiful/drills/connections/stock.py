"""Stock Celery with stock Django, and the task of drill `connections`."""

from dutiful.drills.connections import visit
from dutiful.drills.stock.plain import app as app

app.task(name="dutiful.drills.tasks.visit")(visit.visit)
