"""Tuned Celery with stock Django, and the task of drill `connections`."""

from dutiful.drills.connections import stock  # noqa: F401  # registers the task
from dutiful.drills.stock.tuned import app as app
