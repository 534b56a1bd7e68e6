"""Our side: the same empty task, once for each shape of worker."""

from typing import Any

from django.db import connection, transaction

from dutiful.idempotency import IdempotentTask
from dutiful.task import task
from tests.benchmarks import query, record


@task(urgency="urgent", runtime="fast")
def threads(number: int) -> None:
    """Goes to the first queue of profile io."""
    record.ran()


@task(urgency="average", runtime="slow", bound="compute")
def prefork(number: int) -> None:
    """Goes to the first queue of profile compute."""
    record.ran()


@task(urgency="urgent", runtime="fast")
def plain(number: int) -> None:
    """One row, in a transaction."""
    with transaction.atomic():
        _insert(number)


@task(base=IdempotentTask, bind=True, urgency="urgent", runtime="fast")
def once(self: Any, number: int) -> None:
    """The same, once a key."""
    with self.effect():
        _insert(number)


@task(urgency="urgent", runtime="fast")
def query_threads(number: int) -> None:
    """One small query."""
    query.ask()


@task(urgency="average", runtime="slow", bound="compute")
def query_prefork(number: int) -> None:
    """The same."""
    query.ask()


def _insert(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_effects VALUES (%s)", [number])
