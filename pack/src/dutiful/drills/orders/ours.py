"""The tasks of drills `lag` and `failover` on this pack."""

from typing import Any

from dutiful.drills.orders import model
from dutiful.idempotency import IdempotentTask
from dutiful.task import task


@task(name="drills.read_order", urgency="average", runtime="fast", reads="replica")
def read_order(number: int, sent: float) -> None:
    """Reads an order on a replica that has it."""
    model.read(number, sent)


@task(base=IdempotentTask, bind=True, name="drills.pay_order", urgency="average", runtime="fast")
def pay_order(self: Any, number: int, sent: float) -> None:
    """Pays an order once, under an idempotency key."""
    model.pay(number, sent, self.effect)
