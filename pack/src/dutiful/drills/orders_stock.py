"""The tasks of drills `lag` and `failover` on stock Celery. Tuned tries database errors again,
for longer than the drill lasts: nothing of it is lost for want of patience.
"""

from celery import current_app
from django.db import InterfaceError, OperationalError, transaction

from dutiful.drills import orders


def pay(number: int, sent: float) -> None:
    orders.pay(number, sent, transaction.atomic)


current_app.task(name="drills.read_order")(orders.read)
current_app.task(
    name="drills.pay_order",
    autoretry_for=(OperationalError, InterfaceError) if current_app.conf.task_acks_late else (),
    retry_backoff=1,
    max_retries=20,
)(pay)
