"""Context managers for code that may read from a replica: a task's body, or other code."""

from contextlib import AbstractContextManager
from typing import Any

from dutiful.database import reading as current
from dutiful.replicas import choice
from dutiful.replicas.declared import PRIMARY, reads_of


def reading(task: Any) -> AbstractContextManager[None]:
    """Wraps a task's body in a worker. Raises Retry if the message was put back."""
    how = reads_of(task)
    return current.on(None if how == PRIMARY else choice.of(task, how))


def from_replica() -> AbstractContextManager[None]:
    """For a web request or a command: reads from a usable replica, or else from the primary.

    The data may be REPLICA_MAX_LAG_SECONDS old.
    """
    return current.on(choice.any_usable())
