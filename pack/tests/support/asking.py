"""A task that asks its database so often, in one transaction and beside it."""

from django.db import connection, transaction

from dutiful.task import task
from dutiful.task.retries import NEVER


@task(name="asking.ask", urgency="average", runtime="slow", retry_policy=NEVER)
def ask(times: int) -> None:
    """Half of the statements in a transaction."""
    with transaction.atomic():
        for _ in range(times // 2):
            _select()
    for _ in range(times - times // 2):
        _select()


@task(name="asking.rest", urgency="average", runtime="slow", retry_policy=NEVER)
def rest() -> None:
    """Asks nothing."""


@task(name="asking.fail", urgency="average", runtime="slow", retry_policy=NEVER)
def fail() -> None:
    _select()
    raise ValueError("after one statement")


def _select() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
