"""The new release's task on stock Celery. Workers load it with `-I`."""

from celery import current_app

from dutiful.drills import task_bodies

current_app.task(name="drills.newcomer")(task_bodies.newcomer)
