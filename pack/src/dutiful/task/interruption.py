"""A worker that stops tells its tasks: one flag for threads, solo and forked children alike.

Pool children ignore SIGTERM, and have no connection of their own to the broker.
"""

import mmap
from typing import Final

from celery.exceptions import Ignore, Reject

# Anonymous shared memory, made before the fork: a child sees what its parent writes later.
_FLAG: Final = mmap.mmap(-1, 1)


def ask() -> None:
    """Called once, when the worker begins to stop."""
    _FLAG[0] = 1


def asked() -> bool:
    """Whether this worker stops. As cheap as reading a byte: ask as often as you like."""
    return _FLAG[0] != 0


class Interrupted(Reject):
    """The task has saved its place. Its message goes back, uncounted, and goes on elsewhere.

    To the head of its queue where the worker stops; `later`: behind the others, so that a run
    of hours lets them pass.
    """

    def __init__(self, reason: str, requeue: bool = True, later: bool = False) -> None:
        super().__init__(reason, requeue)
        self.later = later


class Overtaken(Ignore):
    """Another worker has taken the work over: this one was believed dead. Nothing more is said."""
