"""`with …:` around what may read from a replica: a task's body, or code of one's own."""

from contextlib import AbstractContextManager
from typing import Any

from dutiful.database import reading as current
from dutiful.replicas import choice
from dutiful.replicas.declared import PRIMARY, reads_of


def reading(task: Any) -> AbstractContextManager[None]:
    """Around a task's body, in a worker. Raises Retry where the message was put back."""
    how = reads_of(task)
    return current.on(None if how == PRIMARY else choice.of(task, how))


def from_replica() -> AbstractContextManager[None]:
    """For a web request or a command: reads of a replica that is not left out, else the primary.

    What they see may be REPLICA_MAX_LAG_SECONDS old.
    """
    return current.on(choice.any_usable())
