"""Our side of the drills: the same work as dutiful/drills/stock.py, declared."""

from typing import Any

from django.db import connection

from dutiful.drills import money, visits, work
from dutiful.idempotency import IdempotentTask
from dutiful.task import task


@task(urgency="average", runtime="slow")
def slow(number: int, sent: float, seconds: float) -> None:
    """Waits, as a task that calls others does."""
    work.slow(number, sent, seconds)


@task(urgency="urgent", runtime="fast")
def urgent(number: int, sent: float) -> None:
    """Somebody waits for this one."""
    work.urgent(number, sent)


@task(urgency="urgent", runtime="fast")
def visit(number: int, sent: float) -> None:
    """Asks the database one query."""
    visits.visit(number, sent)


@task(urgency="average", runtime="slow", bound="compute")
def crunch(number: int, sent: float, seconds: float) -> None:
    """Belongs on a process."""
    work.crunch(number, sent, seconds)


@task(urgency="average", runtime="slow", bound="compute")
def poison(number: int, sent: float, way: str) -> None:
    """Ends the process that runs it."""
    work.poison(number, sent, way)


@task(base=IdempotentTask, bind=True, urgency="average", runtime="slow")
def pay(self: Any, number: int, sent: float, seconds: float) -> None:
    """Moves money, once."""

    def effect(number: int) -> None:
        with self.effect(), connection.cursor() as cursor:
            cursor.execute(f"{money.ADD}%s", [number])

    work.pay(number, sent, seconds, effect)
