"""A flag by which a stopping worker interrupts its tasks, in threads and in forked children.

Children of a pool ignore SIGTERM and have no connection to the broker, so shared memory carries it.
"""

import mmap
from typing import Final

from celery.exceptions import Ignore, Reject

# Anonymous shared memory from before the fork: a child sees what its parent writes later.
_FLAG: Final = mmap.mmap(-1, 1)


def ask() -> None:
    """Sets the flag. The worker calls this once, when it begins to stop."""
    _FLAG[0] = 1


def asked() -> bool:
    """Whether this worker is stopping. It reads one byte, so it may be called for each row."""
    return _FLAG[0] != 0


class Interrupted(Reject):
    """The task has saved its place. Its message is requeued and does not count as an attempt.

    It returns to the head of its queue, or with `to_tail` to the end, so that a run of hours lets
    other messages pass.
    """

    def __init__(self, reason: str, requeue: bool = True, to_tail: bool = False) -> None:
        super().__init__(reason, requeue)
        self.to_tail = to_tail


class Overtaken(Ignore):
    """Another worker has taken the task over, so this run ends and reports nothing."""
