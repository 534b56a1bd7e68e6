"""The client process of drills `lag` and `failover`: like `clients.publish`, but it saves an order.

It saves the order and enqueues its task in one transaction, with the method of the task that
DRILL_ENQUEUE names. DRILL_PAUSE is the seconds between two orders. It retries while the database is
unavailable.
"""

import os
import sys
import time
from typing import Any

from celery import Celery
from django.db import Error, IntegrityError, connections, transaction

from dutiful.drills.clients import publish


def send(app: Celery, task: str, number: int, rest: list[Any], options: dict[str, Any]) -> None:
    """Saves one order and enqueues its task."""
    from dutiful.drills.orders.model import Order  # late: after Django's setup

    enqueue = getattr(app.tasks[task], os.environ["DRILL_ENQUEUE"])
    time.sleep(float(os.environ.get("DRILL_PAUSE") or 0))
    while True:
        try:
            with transaction.atomic():
                Order.objects.create(number=number)
                enqueue((number, time.time(), *rest), **options)
        except IntegrityError:
            return  # it was saved, but the answer was lost
        except Error as error:
            print(f"order {number}: {error!r}; again in 0.5 s", file=sys.stderr)
            connections.close_all()
            time.sleep(0.5)
        else:
            return


if __name__ == "__main__":
    publish.main(send)
