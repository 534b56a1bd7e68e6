"""A task that leaves two marks in one transaction, and meets what a test sends it in between."""

import os
import signal
import time
from contextlib import nullcontext
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from dutiful.task import task

TABLES = """
CREATE TABLE effects (key text, part int, tries int);
CREATE TABLE rows (id int PRIMARY KEY, n int);
INSERT INTO rows VALUES (1, 0), (2, 0)
"""


@task(name="faulty.work", urgency="urgent", runtime="fast", bind=True)
def work(self: Any, key: str, between: list[str], first: str = "SELECT 1") -> None:
    """`first` begins the transaction; `between` comes amid it, in the first try alone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(first)
        cursor.execute("INSERT INTO effects VALUES (%s, 1, %s)", [key, self.request.retries])
        for sql in between if self.request.retries == 0 else ():
            cursor.execute(sql)
        cursor.execute("INSERT INTO effects VALUES (%s, 2, %s)", [key, self.request.retries])


@task(name="faulty.limits", urgency="average", runtime="fast")
def limits(key: str) -> None:
    """Marks what its queue allows a query, in milliseconds."""
    with connection.cursor() as cursor:
        for part, name in enumerate(
            ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ):
            cursor.execute(
                "INSERT INTO effects SELECT %s, %s, setting::int FROM pg_settings WHERE name = %s",
                [key, part, name],
            )


@task(name="faulty.limits_within", urgency="average", runtime="fast")
def limits_within(key: str) -> None:
    """The same, in a transaction."""
    with transaction.atomic():
        limits.run(key)


@task(name="faulty.read", urgency="average", runtime="fast")
def read(key: str) -> None:
    """Rows one by one: with a cursor of the server's, where there may be one."""
    for _ in ContentType.objects.order_by("id").iterator(chunk_size=2):
        time.sleep(0.01)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO effects VALUES (%s, 1, 0)", [key])


@task(name="faulty.suspect", urgency="urgent", runtime="fast")
def suspect(key: str) -> None:
    """Ends its process twice, then, in an isolated run, notes its limits."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO rows SELECT count(*) + 1000, 0 FROM rows RETURNING id")
        (number,) = cursor.fetchone()
    if number < 1004:  # two rows were there
        os.kill(os.getpid(), signal.SIGKILL)
    limits.run(key)


@task(name="faulty.linger", urgency="urgent", runtime="fast")
def linger(key: str, seconds: float, within: bool = False) -> None:
    """A query, a long call elsewhere, a query; `within` a transaction."""
    with transaction.atomic() if within else nullcontext(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO effects VALUES (%s, 1, 0)", [key])
        time.sleep(seconds)
        cursor.execute("INSERT INTO effects VALUES (%s, 2, 0)", [key])
