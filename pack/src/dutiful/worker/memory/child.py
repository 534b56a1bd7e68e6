"""A prefork child that is replaced for its memory logs which task took it.

After each task the pool looks at a child's highest memory so far, and replaces a child that is past
its part of the profile. A child runs one task at a time, so what raised its memory is measured and
not estimated.
"""

import logging
import os
import resource
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from celery import signals

from dutiful.worker.memory.usage import as_mb

logger = logging.getLogger(__name__)

_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in one unit of ru_maxrss."""
listeners: list[Callable[[str, str, int], None]] = []
"""Called in the child with a task, its queue, and the bytes by which a run raised the memory."""
_limit = 0
_before = 0
_raised: dict[str, int] = defaultdict(int)
_runs: dict[str, int] = defaultdict(int)


def set_limit(size: int) -> None:
    """Sets a child's limit in bytes; 0 is none. Call it in the main process, before it forks."""
    global _limit
    _limit = size


def begin(**_: Any) -> None:
    """Handles Celery's `worker_process_init`, in a new child."""
    global _before
    if _limit:
        _before = _highest()
        signals.task_postrun.connect(_task_ended, weak=False)


def _highest() -> int:
    """Returns this process's highest resident memory so far, in bytes, as billiard reads it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def _task_ended(task: Any, **_: Any) -> None:
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
    tasks = "; ".join(f"{n} raised it by {as_mb(_raised[n])} in {_runs[n]:,} runs" for n in worst)
    logger.error(
        f"child {os.getpid()} is replaced: it took {as_mb(now)}, past the {as_mb(_limit)} of a"
        f" child; {tasks}. See 'A task leaks memory' in `python -m dutiful docs runbook`"
    )
