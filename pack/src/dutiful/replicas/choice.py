"""Chooses the replica for a task: one that has replayed the position in its message.

If there is none, the task waits once, within its queue's promise, or is put back once
(`reads="delayed"`); then it reads from the primary. A replica is not usable while it does not
answer or is too far behind.
"""

import random
import time
from typing import Any, Final

from django.db import Error, connections

from dutiful.publishing.message import WAL
from dutiful.replicas import position, status, watch
from dutiful.replicas.declared import DELAYED
from dutiful.replicas.status import ReplicaStatus
from dutiful.task.postponing import postpone

LONGEST_WAIT: Final = 1.0
"""Seconds: the longest that a task waits in its slot for a replica."""
LOOK: Final = 0.05
"""Seconds between two looks during that wait."""
SHORTEST_DELAY: Final = 2.0
LONGEST_DELAY: Final = 15.0
"""Seconds for which a `delayed` message is put back."""
PUT_BACK: Final = "wal_put_back"
"""Header of a message that was put back for a replica, which happens only once."""
REPLAYED: Final = "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn"


def of(task: Any, how: str) -> str | None:
    """The alias to read from, or None for the primary. Raises Retry if the message was put back."""
    wanted = position.parse(task.request.get(WAL))
    if wanted is None:
        return None  # the message has no position
    found = caught_up(wanted)
    near = [each.behind_seconds for each in usable()]
    if found or not near:
        return found
    if how == DELAYED:
        if task.request.get(PUT_BACK):
            return None
        pause = min(max(SHORTEST_DELAY, min(near) + watch.INTERVAL), LONGEST_DELAY)
        raise postpone(task, pause, "no replica has what it needs yet", **{PUT_BACK: True})
    wait = min(LONGEST_WAIT, _left(task))
    if min(near) > wait + watch.INTERVAL:  # the interval is the error of the measurement
        return None  # no replica would catch up in time
    deadline = time.monotonic() + wait
    while not found and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(LOOK, left))
        found = caught_up(wanted)
    return found


def usable() -> list[ReplicaStatus]:
    """The status of all usable replicas, in random order."""
    watch.ensure_running()
    found = [each for each in status.each() if each.usable]
    random.shuffle(found)
    return found


def any_usable() -> str | None:
    """The alias of a usable replica, or None."""
    return next((each.alias for each in usable()), None)


def caught_up(wanted: int) -> str | None:
    """The alias of a usable replica that has replayed this position, or None."""
    candidates = usable()
    for each in candidates:
        if each.replayed >= wanted:
            return each.alias
    return next((each.alias for each in candidates if _replayed(each.alias, wanted)), None)


def _replayed(alias: str, wanted: int) -> bool:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(REPLAYED, [position.formatted(wanted)])
            return bool(cursor.fetchone()[0])
    except Error:
        status.record_down(alias)
        connections[alias].close()
        return False


def _left(task: Any) -> float:
    """Seconds that are left of the time within which the task's queue promises a start."""
    sent = task.request.get("enqueued_at")
    if not isinstance(sent, (int, float)):
        return 0.0
    return float(task.queue_class.starts_within - (time.time() - sent))
