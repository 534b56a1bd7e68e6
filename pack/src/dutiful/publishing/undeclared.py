"""Stock tasks, which declare no urgency and runtime: the project's own and third parties'.

Where `DUTIFUL["UNDECLARED"]` names a queue they go on working there, with one warning each
(dutiful.W010), until they are declared. Without that key such a task is the error dutiful.E001.
"""

from typing import Any, Final

from dutiful.catalogue.classes import QueueClass
from dutiful.conf import conf

REQUEST: Final = "dutiful.task.request:Request"
STOCK_REQUEST: Final = "celery.worker.request:Request"
CELERYS: Final = "celery."


def is_undeclared(task: Any) -> bool:
    """Whether a task says neither how long it may wait nor how long it may run."""
    if task.name.startswith(CELERYS):
        return False
    return getattr(task, "urgency", None) is None and getattr(task, "runtime", None) is None


def queue_of(task: Any) -> QueueClass | None:
    """Where an undeclared task runs: in the queue that it names, if the catalogue has that, else
    in the one for all of them. None where there is none for them.
    """
    named = getattr(task, "queue", None)
    return conf().by_name.get(str(getattr(named, "name", named))) or conf().for_undeclared


def adopt(task: Any) -> None:
    """Makes a task that has just been registered one that our worker can run. Idempotent.

    A class that is not ours gets our request, which settles messages. A queue that an undeclared
    task names and the catalogue lacks is taken from it: `strays` remembers it for the warning.
    """
    if task.name.startswith(CELERYS):
        return
    if task.Request == STOCK_REQUEST:
        task.Request = REQUEST
    if conf().undeclared and is_undeclared(task) and (named := getattr(task, "queue", None)):
        name = str(getattr(named, "name", named))
        if name not in conf().by_name:
            strays[task.name], task.queue = name, None


strays: Final[dict[str, str]] = {}
"""The queues that undeclared tasks named and that the catalogue lacks, by the task's name."""
