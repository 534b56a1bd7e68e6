"""The tasks of drills `lag` and `failover` on stock Celery.

Tuned retries database errors for longer than the drill lasts, so that it loses nothing because its
retries end.
"""

from celery import current_app
from django.db import InterfaceError, OperationalError, transaction

from dutiful.drills.orders import model


def pay(number: int, sent: float) -> None:
    """Pays an order in a transaction."""
    model.pay(number, sent, transaction.atomic)


current_app.task(name="drills.read_order")(model.read)
current_app.task(
    name="drills.pay_order",
    autoretry_for=(OperationalError, InterfaceError) if current_app.conf.task_acks_late else (),
    retry_backoff=1,
    max_retries=20,
)(pay)
