"""The next release's task on stock Celery. Workers know it only with `-I
dutiful.drills.stock_newer`.
"""

from celery import current_app

from dutiful.drills import work

current_app.task(name="drills.newcomer")(work.newcomer)
