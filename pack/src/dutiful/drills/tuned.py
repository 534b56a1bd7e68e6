"""Stock Celery with the best of its settings, as its own documentation recommends them.

The visibility timeout suits each drill (DRILL_VISIBILITY_SECONDS): far shorter than anybody could
set it who also has tasks that run for minutes.
"""

from dutiful.drills.stock import app as app

app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_reject_on_worker_lost=True,
)
