"""The drills' tasks for this pack: the same bodies as in dutiful/drills/stock/plain.py."""

from typing import Any

from django.db import connection

from dutiful.drills import accounts, task_bodies
from dutiful.drills.connections import visit as visits
from dutiful.idempotency import IdempotentTask
from dutiful.task import task


@task(urgency="average", runtime="slow")
def slow(number: int, sent: float, seconds: float) -> None:
    """Waits `seconds`, as a task does that calls a service."""
    task_bodies.slow(number, sent, seconds)


@task(urgency="urgent", runtime="fast")
def urgent(number: int, sent: float) -> None:
    """An urgent task that does nothing."""
    task_bodies.urgent(number, sent)


@task(urgency="urgent", runtime="fast")
def visit(number: int, sent: float) -> None:
    """Writes a row to the database, then waits."""
    visits.visit(number, sent)


@task(urgency="average", runtime="slow", bound="compute")
def crunch(number: int, sent: float, seconds: float) -> None:
    """A task for a process; waits `seconds`."""
    task_bodies.crunch(number, sent, seconds)


@task(urgency="average", runtime="slow", bound="compute")
def poison(number: int, sent: float, way: str) -> None:
    """Ends the process that runs it."""
    task_bodies.poison(number, sent, way)


@task(base=IdempotentTask, bind=True, urgency="average", runtime="slow")
def pay(self: Any, number: int, sent: float, seconds: float) -> None:
    """Moves accounts, once."""

    def effect(number: int) -> None:
        with self.effect(), connection.cursor() as cursor:
            cursor.execute(f"{accounts.ADD}%s", [number])

    task_bodies.pay(number, sent, seconds, effect)
