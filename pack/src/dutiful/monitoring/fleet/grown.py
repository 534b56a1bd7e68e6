"""Counts by how many bytes each task made its process grow.

On prefork it is measured: by how much a run raised its child's highest memory. Threads share a
heap, so there it is the estimate of `dutiful/worker/memory/growth.py`.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from dutiful.conf.queues import NotInCatalogue
from dutiful.monitoring.fleet.store import GROWN
from dutiful.monitoring.fleet.tally import Run
from dutiful.publishing.router import declared
from dutiful.worker.memory import child as memory_child
from dutiful.worker.memory import watch
from dutiful.worker.memory.growth import Grower


def connect(app: Any, count: Callable[[Run], None]) -> None:
    """Starts counting both in this process and its children."""
    reported: dict[str, int] = defaultdict(int)

    def report(task: str, queue: str, size: int) -> None:
        count((task, queue, GROWN, None, size, None, None, None))

    def kept(suspects: list[Grower]) -> None:
        for each in suspects:
            more = round(each.kept) - reported[each.task]
            if more > 0:  # counters only grow, estimates do not
                reported[each.task] += more
                report(each.task, _queue(app, each.task), more)

    memory_child.listeners.append(report)
    watch.listeners.append(kept)


def _queue(app: Any, task: str) -> str:
    """The queue that the task declares: a heap does not show by which queue a message came."""
    try:
        return declared(app.tasks[task]).name
    except (KeyError, NotInCatalogue):
        return ""
