"""What a broker can do beyond kombu's interface, one implementation for each kind.

`brokers.of(connection)` finds it, so that no other module asks which transport it has.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Declare = Callable[[str], Sequence[Any]]
"""The entities that a queue's name asks to be declared before a publish."""


class Publisher(Protocol):
    """One connection that publishes prepared messages within a deadline. Not thread-safe.

    Each call returns None or the error of each message, and raises what breaks a connection.
    """

    broken: bool
    """It is not to be used again."""

    def put(self, parcels: Sequence[Any], until: float, seconds: float) -> list[Any]:
        """`until` is of the monotonic clock, `seconds` the whole time that the call had."""
        ...

    def put_many(
        self, queue: str, priority: int, texts: list[str], until: float, seconds: float
    ) -> list[Any]:
        """As `put`, for messages of one queue without an eta, at most a thousand."""
        ...

    def ping(self) -> None:
        """Raises what is wrong."""
        ...

    def close(self) -> None: ...


class Deliveries:
    """The messages that one worker receives. These do what stock kombu's can: nothing more."""

    keeps_messages = False
    """A message can become a dead letter with a reason, and be put back for a while."""
    tags_stay = False
    """A message that was put back has the same `properties["delivery_tag"]` again."""

    def declare(self, connection: Any) -> None:
        """Declares what the worker needs beside its queues."""

    def receive(self, message: Any) -> None:
        """Gives a message the attributes and methods of `dutiful.transport.message.Message`."""

    def age(self, message: Any) -> float | None:
        """Seconds since a worker first did not know its task; None where no message says it."""
        return None


class Broker(ABC):
    """One kind of broker. Has no state: connections are given to it."""

    name: str
    """`ours` (our transport on Redis), `rabbitmq` or `stock` (any other transport of kombu's)."""
    publishes_by_script = False
    """A channel publishes in one round trip, without declaring anything first."""

    @abstractmethod
    def publisher(self, connection: Any, channel: Any, declare: Declare) -> Publisher:
        """On a connection of kombu's that is open, and its channel."""

    @abstractmethod
    def dead_letters(self, connection: Any) -> AbstractContextManager[Any]:
        """Opens the store of dead letters; None where the broker has none.

        Raises the broker's errors.
        """

    def deliveries(self, app: Any) -> Deliveries:
        """For a worker of this Celery app."""
        return Deliveries()

    def lease_seconds(self, transport_options: Mapping[str, Any]) -> float | None:
        """After how long a silent worker is given up; None where workers have no leases."""
        return None

    def revoke_delayed(self, channel: Any, task_ids: Sequence[str]) -> list[bytes]:
        """Deletes delayed messages of these tasks, where the broker holds them; returns them."""
        return []

    def redis_channel(self, connection: Any) -> Any:
        """The channel where messages lie in lists of Redis; None on another broker."""
        return None
