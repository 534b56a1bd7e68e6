"""The tasks of drills `lag` and `failover`, ours."""

from typing import Any

from dutiful.drills import orders
from dutiful.idempotency import IdempotentTask
from dutiful.task import task


@task(name="drills.read_order", urgency="average", runtime="fast", reads="replica")
def read_order(number: int, sent: float) -> None:
    """Reads the order that was saved before this was enqueued."""
    orders.read(number, sent)


@task(base=IdempotentTask, bind=True, name="drills.pay_order", urgency="average", runtime="fast")
def pay_order(self: Any, number: int, sent: float) -> None:
    """Pays an order, once."""
    orders.pay(number, sent, self.effect)
