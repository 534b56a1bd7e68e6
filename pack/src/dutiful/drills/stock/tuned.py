"""Stock Celery with the best of its settings, as its own documentation recommends them.

The visibility timeout suits each drill (DRILL_VISIBILITY_SECONDS). It is far shorter than a project
with tasks of some minutes could set it.
"""

from dutiful.drills.stock.plain import app as app

app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_reject_on_worker_lost=True,
)
