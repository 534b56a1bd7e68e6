"""Where pieces of the pack put themselves when they are installed; None: as if there were none.

The outbox takes over enqueues; `dutiful.replicas` stamps messages, and says where a body reads.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from dutiful.publishing.prepared import Prepared


class Door(Protocol):
    """Takes prepared messages: sends them, or keeps them and sees that they are sent later."""

    def send(self, app: Any, message: Prepared) -> bool:
        """Whether it was sent now. Raises kombu's OperationalError when it could not be kept."""
        ...

    def send_many(self, app: Any, messages: Sequence[Prepared], priority: int) -> int:
        """As `send`, for messages of one queue without an eta. How many were sent: all, or 0."""
        ...


door: Door | None = None

stamp: Callable[[Iterable[str], bool], str] | None = None
"""The database's position for messages of these tasks, to be taken after the commit of what they
are to find; "" for none. The flag: the open transaction is the caller's own, and holds none of it.
"""

reading: Callable[[Any], AbstractContextManager[None]] | None = None
"""Around the body of a task."""


def stamp_all(messages: Sequence[Prepared], own_transaction: bool = False) -> None:
    """Stamps them right before they are sent."""
    position = stamp({message.task for message in messages}, own_transaction) if stamp else ""
    if position:
        for message in messages:
            message.stamp(position)
