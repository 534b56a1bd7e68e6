"""Orders that a client saves and a task reads, on PostgreSQL, by Django's models.

Stock Celery's and ours are the same code. Imports nothing of the project.
"""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from django.db import models

from dutiful.drills.record import client, recorded

TABLE: Final = "drill_orders"
CREATE: Final = f"CREATE TABLE {TABLE} (number integer PRIMARY KEY, amount integer NOT NULL)"
READS: Final = "drill:reads"
"""Redis list on the record's server: [number, alias, whether the order was there] for each read."""


class Order(models.Model):
    """`amount` is 0 until it is paid, and then 1."""

    objects: "models.Manager[Order]" = models.Manager()
    number = models.IntegerField(primary_key=True)
    amount = models.IntegerField(default=0)

    class Meta:
        app_label = "drills"
        db_table = TABLE
        managed = False

    def __str__(self) -> str:
        return f"order {self.number}"


def pay(number: int, sent: float, transaction: Callable[[], AbstractContextManager[Any]]) -> None:
    """Adds one to the order's amount: nothing but the task itself stops a second time."""
    with recorded(number, "pay", sent):
        time.sleep(0.1)
        with transaction():
            Order.objects.filter(pk=number).update(amount=models.F("amount") + 1)
            time.sleep(0.05)


def read(number: int, sent: float) -> None:
    """Reads the order that was saved before this was enqueued."""
    with recorded(number, "read", sent):
        orders: Any = Order.objects.filter(pk=number)
        where = orders.db
        client().rpush(READS, json.dumps([number, where, orders.exists()]))
