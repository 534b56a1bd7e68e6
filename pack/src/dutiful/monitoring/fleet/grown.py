"""What runs leave in their processes, counted for the fleet beside the runs themselves.

Processes: by how much a run raised its child's highest memory, measured. Threads share a heap:
what each task kept is the estimate of dutiful/worker/memory/growth.py, told as it grows.
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
    """From here on both are counted in this process and its children."""
    told: dict[str, int] = defaultdict(int)

    def tell(task: str, queue: str, size: int) -> None:
        count((task, queue, GROWN, None, size, None, None, None))

    def kept(growers: list[Grower]) -> None:
        for each in growers:
            more = round(each.kept) - told[each.task]
            if more > 0:  # counters only grow, estimates do not
                told[each.task] += more
                tell(each.task, _queue(app, each.task), more)

    memory_child.listeners.append(tell)
    watch.listeners.append(kept)


def _queue(app: Any, task: str) -> str:
    """The heap does not say which of its queues a task came by."""
    try:
        return declared(app.tasks[task]).name
    except (KeyError, NotInCatalogue):
        return ""
