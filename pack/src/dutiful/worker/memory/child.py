"""A prefork child that is recycled for its memory says which task took it.

The pool looks at a child's highest memory so far after each task, and replaces a child past its
part of the profile. One task runs at a time there, so what raised it is measured, not estimated.
"""

import logging
import os
import resource
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from celery import signals

from dutiful.worker.memory.memory import shown

logger = logging.getLogger(__name__)

_UNIT: Final = 1 if sys.platform == "darwin" else 1024
listeners: list[Callable[[str, str, int], None]] = []
"""Called in the child with a task, its queue, and the bytes by which a run raised the memory."""
_limit = 0
_before = 0
_raised: dict[str, int] = defaultdict(int)
_runs: dict[str, int] = defaultdict(int)


def limit(size: int) -> None:
    """`size` in bytes, said in the main process: children inherit it by their fork."""
    global _limit
    _limit = size


def begin(**_: Any) -> None:
    """Celery's `worker_process_init`, in a new child."""
    global _before
    if _limit:
        _before = _highest()
        signals.task_postrun.connect(_ended, weak=False)


def _highest() -> int:
    """As billiard reads it: the highest resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def _ended(task: Any, **_: Any) -> None:
    global _before
    if task.request.is_eager:
        return
    now = _highest()
    raised = now - _before  # between two tasks a child only waits
    _raised[task.name] += raised
    if raised:
        queue = (task.request.delivery_info or {}).get("routing_key") or ""
        for listener in listeners:
            listener(task.name, queue, raised)
    _before = now
    _runs[task.name] += 1
    if now <= _limit:
        return
    worst = sorted(_raised, key=lambda name: -_raised[name])[:3]
    told = "; ".join(f"{n} raised it by {shown(_raised[n])} in {_runs[n]:,} runs" for n in worst)
    logger.error(
        f"child {os.getpid()} is replaced: it took {shown(now)}, past the {shown(_limit)} of a"
        f" child; {told}. See 'A task leaks memory' in `python -m dutiful docs runbook`"
    )
