"""Which replica serves a task: any that has replayed the position in its message.

Else the task waits once, within its queue's promise, or is put back once (`reads="delayed"`); then
it reads from the primary. Replicas too far behind are left out, and those that do not answer.
"""

import random
import time
from typing import Any, Final

from django.db import Error, connections

from dutiful.publishing.message import WAL
from dutiful.replicas import position, standing, watch
from dutiful.replicas.declared import DELAYED
from dutiful.replicas.standing import Standing
from dutiful.task.later import later

LONGEST_WAIT: Final = 1.0
"""Seconds that a task holds its slot for a replica, at most."""
LOOK: Final = 0.05
"""Seconds between two looks meanwhile."""
SHORTEST_DELAY: Final = 2.0
LONGEST_DELAY: Final = 15.0
"""Seconds for which a `delayed` message is put back."""
PUT_BACK: Final = "wal_put_back"
"""Header of a message that was put back for a replica: it is not again."""
REPLAYED: Final = "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn"


def of(task: Any, how: str) -> str | None:
    """An alias; None: the primary. Raises Retry where the message was put back."""
    wanted = position.parse(task.request.get(WAL))
    if wanted is None:
        return None  # nobody said what it must see
    found = having(wanted)
    near = [each.behind_seconds for each in usable()]
    if found or not near:
        return found
    if how == DELAYED:
        if task.request.get(PUT_BACK):
            return None
        pause = min(max(SHORTEST_DELAY, min(near) + watch.SECOND), LONGEST_DELAY)
        raise later(task, pause, "no replica has what it needs yet", **{PUT_BACK: True})
    wait = min(LONGEST_WAIT, _left(task))
    if min(near) > wait + watch.SECOND:  # as coarse as it is measured
        return None  # it would wait in vain
    deadline = time.monotonic() + wait
    while not found and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(LOOK, left))
        found = having(wanted)
    return found


def usable() -> list[Standing]:
    """Those that are not left out, in any order."""
    watch.wanted()
    found = [each for each in standing.each() if each.usable]
    random.shuffle(found)
    return found


def any_usable() -> str | None:
    """The alias of one that is not left out."""
    return next((each.alias for each in usable()), None)


def having(wanted: int) -> str | None:
    """The alias of one that has replayed this position."""
    there = usable()
    for each in there:
        if each.replayed >= wanted:
            return each.alias
    return next((each.alias for each in there if _replayed(each.alias, wanted)), None)


def _replayed(alias: str, wanted: int) -> bool:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(REPLAYED, [position.shown(wanted)])
            return bool(cursor.fetchone()[0])
    except Error:
        standing.out(alias)
        connections[alias].close()
        return False


def _left(task: Any) -> float:
    """Seconds until it must have started, by its queue's promise."""
    sent = task.request.get("enqueued_at")
    if not isinstance(sent, (int, float)):
        return 0.0
    return float(task.queue_class.starts_within - (time.time() - sent))
