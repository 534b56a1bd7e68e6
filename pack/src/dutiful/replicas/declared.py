"""Where a task reads: as it declares, or as REPLICA_READS says, or from the primary."""

from typing import Any, Final, get_args

from dutiful.conf.queues import NotInCatalogue
from dutiful.database.replicas import REPLICA_READS
from dutiful.publishing.router import declared
from dutiful.task.base import Reads

CHOICES: Final[tuple[str, ...]] = get_args(Reads)
PRIMARY, REPLICA, DELAYED = CHOICES


def reads_of(task: Any) -> str:
    """One of CHOICES, for this task."""
    return getattr(task, "reads", "") or (REPLICA if among(task, REPLICA_READS.get()) else PRIMARY)


def among(task: Any, names: list[str]) -> bool:
    """Whether the task, its queue or its urgency is among these names."""
    if not names:
        return False
    try:
        queue = declared(task)
    except NotInCatalogue:
        return False
    return not {task.name, queue.name, str(queue.urgency)}.isdisjoint(names)
