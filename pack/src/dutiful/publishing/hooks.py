"""Where optional pieces of the pack register themselves; None where a piece is not installed.

`dutiful.outbox` takes prepared messages; `dutiful.replicas` stamps them, and decides which
database the body of a task reads.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from dutiful.publishing.message import Prepared


class OutboxPublisher(Protocol):
    """Sends prepared messages, or keeps them and sees to it that they are sent later."""

    def send(self, app: Any, messages: Sequence[Prepared]) -> None:
        """Sends the messages, or keeps them and sets their `kept`.

        Raises kombu's OperationalError for messages that could neither be sent nor kept.
        """
        ...


outbox: OutboxPublisher | None = None

stamp: Callable[[Iterable[str], bool], str] | None = None
"""The database's position for messages of the tasks with these names, to be asked for after the
commit of what the tasks are to find; "" where they need none. The flag says that the open
transaction is the caller's own and holds nothing that the tasks are to find."""

reading: Callable[[Any], AbstractContextManager[None]] | None = None
"""Entered around the body of a task, with the task."""


def stamp_all(messages: Sequence[Prepared]) -> None:
    """Stamps messages right before they are sent."""
    position = stamp({message.task for message in messages}, False) if stamp else ""
    if position:
        for message in messages:
            message.stamp(position)
