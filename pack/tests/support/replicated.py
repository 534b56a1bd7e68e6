"""Tasks that read rows and write to a file, as lines of JSON, which database answered."""

import json
import time
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from dutiful.task import task
from dutiful.task.models import DispatchToken
from dutiful.task.retries import NEVER

ROWS = 30


def tell(path: str, **found: Any) -> None:
    with Path(path).open("a") as file:
        file.write(json.dumps(found) + "\n")


def position() -> str:
    """The primary's position now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()")
        return str(cursor.fetchone()[0])


def seen(key: str) -> dict[str, Any]:
    """Whether the row exists, and which database answered."""
    rows = DispatchToken.objects.filter(key=key)
    where = rows.db
    return {"key": key, "there": rows.exists(), "where": where, "at": time.time()}


@task(urgency="average", runtime="fast", retry_policy=NEVER, reads="replica")
def look(path: str, key: str) -> None:
    """Reads a row."""
    tell(path, **seen(key))


@task(urgency="average", runtime="fast", retry_policy=NEVER, reads="delayed")
def look_later(path: str, key: str) -> None:
    """Reads a row, with `reads="delayed"`."""
    tell(path, **seen(key))


@task(urgency="average", runtime="fast", retry_policy=NEVER)
def look_plainly(path: str, key: str) -> None:
    """Reads a row, without a declaration."""
    tell(path, **seen(key))


@task(urgency="relaxed", runtime="slow", retry_policy=NEVER)
def look_calmly(path: str, key: str) -> None:
    """Reads a row, from another queue."""
    tell(path, **seen(key))


@task(urgency="average", runtime="fast", retry_policy=NEVER, reads="replica")
def write(path: str, key: str) -> None:
    """Reads, saves an object that came from a replica, and reads again."""
    before = seen(key)
    row = DispatchToken.objects.get(key=key)
    came_from = row._state.db
    row.holder = "changed"
    row.save()
    after = seen(key)
    fresh = DispatchToken.objects.get(key=key).holder
    tell(path, before=before, came_from=came_from, after=after, fresh=fresh)


@task(urgency="average", runtime="fast", retry_policy=NEVER, reads="replica")
def lock(path: str, key: str) -> None:
    """Reads inside a transaction and after it."""
    with transaction.atomic():
        inside = seen(key)["where"]
    tell(path, inside=inside, after=seen(key)["where"])


@task(urgency="average", runtime="fast", retry_policy=NEVER, reads="replica")
def trespass(path: str, key: str) -> None:
    """Writes on a replica, which is refused."""
    tell(path, tries=key)
    DispatchToken.objects.using("replica1").create(key=f"{key}-more", holder="nobody")


@task(bind=True, urgency="average", runtime="fast", retry_policy=NEVER, reads="replica")
def enqueue(self: Any, path: str, key: str) -> None:
    """Enqueues and iterates between two reads."""
    before = seen(key)["where"]
    look.delay(path, key)
    for _ in self.iterate(range(ROWS), every=0.0):
        pass
    tell(path, before=before, after=seen(key)["where"])
