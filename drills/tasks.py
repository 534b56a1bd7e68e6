"""Our side of the drills: the same work as drills/stock.py, declared."""

from drills import record
from tasks.base import task


@task(urgency="average", runtime="slow")
def slow(number: int, sent: float, seconds: float) -> None:
    """Waits, as a task that calls others does."""
    record.started(number, "slow", sent, seconds)


@task(urgency="urgent", runtime="fast")
def urgent(number: int, sent: float) -> None:
    """Somebody waits for this one."""
    record.started(number, "urgent", sent, 0)
