"""The table of orders as a Django model, and the bodies of the tasks that read and pay them.

Stock Celery and ours use the same code. Imports nothing else of the pack but the run record.
"""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from django.db import models

from dutiful.drills.record.write import client, recorded

TABLE: Final = "drill_orders"
CREATE: Final = f"CREATE TABLE {TABLE} (number integer PRIMARY KEY, amount integer NOT NULL)"
READS: Final = "drill:reads"
"""Redis list on the record's server: [number, alias, whether the order was there] for each read."""


class Order(models.Model):
    """An order. `amount` is 0 until it is paid, and then 1."""

    objects: "models.Manager[Order]" = models.Manager()
    number = models.IntegerField(primary_key=True)
    amount = models.IntegerField(default=0)

    class Meta:
        app_label = "dutiful_drills"
        db_table = TABLE
        managed = False

    def __str__(self) -> str:
        return f"order {self.number}"


def pay(number: int, sent: float, transaction: Callable[[], AbstractContextManager[Any]]) -> None:
    """Adds one to the order's amount. Only the task itself can prevent a second time."""
    with recorded(number, "pay", sent):
        time.sleep(0.1)
        with transaction():
            Order.objects.filter(pk=number).update(amount=models.F("amount") + 1)
            time.sleep(0.05)


def read(number: int, sent: float) -> None:
    """Records whether the order exists, which was saved before this task was enqueued."""
    with recorded(number, "read", sent):
        orders: Any = Order.objects.filter(pk=number)
        where = orders.db
        client().rpush(READS, json.dumps([number, where, orders.exists()]))
