"""The task of drill `replay` on stock Celery, with its own automatic retries."""

from celery import current_app

from dutiful.drills.replay import dependency

current_app.task(
    name="drills.charge",
    autoretry_for=(Exception,),
    max_retries=dependency.TIMES,
    default_retry_delay=1,
)(dependency.charge)
