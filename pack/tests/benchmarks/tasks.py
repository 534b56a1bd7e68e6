"""Our tasks: the empty task for each shape of worker, and tasks with a query or an effect."""

from typing import Any

from django.db import connection, transaction

from dutiful.idempotency import IdempotentTask
from dutiful.task import task
from tests.benchmarks import query, record


@task(urgency="urgent", runtime="fast")
def threads(number: int) -> None:
    """An empty task in the first queue of profile io."""
    record.ran()


@task(urgency="average", runtime="slow", bound="compute")
def prefork(number: int) -> None:
    """An empty task in the first queue of profile compute."""
    record.ran()


@task(urgency="urgent", runtime="fast")
def plain(number: int) -> None:
    """Inserts a row in a transaction."""
    with transaction.atomic():
        _insert(number)


@task(base=IdempotentTask, bind=True, urgency="urgent", runtime="fast")
def once(self: Any, number: int) -> None:
    """Inserts a row once for each idempotency key."""
    with self.effect():
        _insert(number)


@task(urgency="urgent", runtime="fast")
def query_threads(number: int) -> None:
    """Runs one small query on threads."""
    query.ask()


@task(urgency="average", runtime="slow", bound="compute")
def query_prefork(number: int) -> None:
    """Runs one small query in a process."""
    query.ask()


def _insert(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_effects VALUES (%s)", [number])
