"""Tuned Celery with stock Django, and the task of drill `connections`."""

from dutiful.drills.stock.tuned import app as app
