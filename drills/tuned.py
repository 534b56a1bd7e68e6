"""Stock Celery with the settings that its own documentation recommends for fairness."""

from drills.stock import app

app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_reject_on_worker_lost=True,
)
