"""The next release's task on stock Celery. Workers know it only with `-I drills.stock_newer`."""

from celery import current_app

from drills import work

current_app.task(name="drills.newcomer")(work.newcomer)
