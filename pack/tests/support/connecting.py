"""Tasks that use the database, and say how often their process has connected to it."""

import os
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.signals import connection_created

from dutiful.task import task
from dutiful.task.retries import NEVER

_connects = 0


def _count(**_: Any) -> None:
    global _connects
    _connects += 1


connection_created.connect(_count)


@task(name="connecting.ask", urgency="average", runtime="slow", bound="compute", retry_policy=NEVER)
def ask(path: str) -> None:
    """Adds a line to the file: pid, connects so far, the server's process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()} {_connects} {backend}\n")


@task(
    name="connecting.leave", urgency="average", runtime="slow", bound="compute", retry_policy=NEVER
)
def leave(path: str) -> None:
    """Ends within a transaction, as a task does that a limit meets at its worst moment."""
    connection.set_autocommit(False)
    ask(path)
    connection.in_atomic_block = True
