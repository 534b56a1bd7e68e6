"""The Django project: settings, the Celery app, URLs."""

# Loaded with Django, so that `shared_task` always finds this app.
from project.celery import app as celery_app

__all__ = ["celery_app"]
