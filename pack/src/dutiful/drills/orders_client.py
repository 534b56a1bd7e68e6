"""The client of drills `lag` and `failover`: as `dutiful.drills.publish`, and saves an order with
each.

Both in one transaction, so that an order has its task: DRILL_ENQUEUE names the method that sends.
DRILL_PAUSE: seconds between two. A database that is away is waited for, as a patient client does.
"""

import os
import sys
import time
from typing import Any

from celery import Celery
from django.db import Error, IntegrityError, connections, transaction

from dutiful.drills import publish


def send(app: Celery, task: str, number: int, rest: list[Any], options: dict[str, Any]) -> None:
    from dutiful.drills.orders import Order  # late: after Django's setup

    enqueue = getattr(app.tasks[task], os.environ["DRILL_ENQUEUE"])
    time.sleep(float(os.environ.get("DRILL_PAUSE") or 0))
    while True:
        try:
            with transaction.atomic():
                Order.objects.create(number=number)
                enqueue((number, time.time(), *rest), **options)
        except IntegrityError:
            return  # saved, though the answer to that was lost
        except Error as error:
            print(f"order {number}: {error!r}; again in 0.5 s", file=sys.stderr)
            connections.close_all()
            time.sleep(0.5)
        else:
            return


if __name__ == "__main__":
    publish.main(send)
