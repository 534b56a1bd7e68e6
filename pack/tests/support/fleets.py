"""A task for two fleets on one broker; `fleets_stock.py` is the same for stock Celery alone."""

from dutiful.task.base import task
from tests.support.fleets_work import NAME, note


@task(name=NAME, urgency="average", runtime="slow")
def numbered(number: int, due: float = 0, gate: str = "") -> None:
    note(number, due, gate)
