"""The form of a queue in the catalogue: how long a task may wait and run, what it is bound by.

Pure: standard library only, so that a project's `tasks/queues.py` may import it from its settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
KB: Final = 1024
DEFAULT_PAYLOAD_LIMIT: Final = 32 * KB
"""Bytes. Far more than primary keys need; a thousand such messages still fit into a broker."""


class Urgency(StrEnum):
    """How long a task may wait."""

    URGENT = "urgent"
    AVERAGE = "average"
    RELAXED = "relaxed"


class Runtime(StrEnum):
    """How long a task may run."""

    FAST = "fast"
    SLOW = "slow"


class Bound(StrEnum):
    """What a task spends its time on: waiting for others, or this machine's processor."""

    IO = "io"
    COMPUTE = "compute"


@dataclass(frozen=True)
class QueueClass:
    """One queue and its promises: times in seconds, sizes in bytes."""

    urgency: Urgency
    runtime: Runtime
    bound: str
    """One of Bound, or a word of the project's own, such as "gpu"."""
    starts_within: int
    """99 % of its tasks start within this many seconds."""
    runs_within: int
    """95 % of its tasks run for at most this many seconds. A target, not the limit."""
    payload_limit: int = DEFAULT_PAYLOAD_LIMIT
    """The most bytes that a task's arguments may take together, as JSON."""

    @property
    def name(self) -> str:
        """Every bound but io is in it: `average_slow`, `average_slow_compute`."""
        parts = [self.urgency, self.runtime] + [self.bound] * (self.bound != Bound.IO)
        return "_".join(map(str, parts))

    @property
    def soft_time_limit(self) -> int:
        """Seconds after which the task is told to stop."""
        return max(30, 10 * self.runs_within)

    @property
    def time_limit(self) -> int:
        """Seconds after which it is stopped."""
        return self.soft_time_limit + 30

    @property
    def statement_timeout(self) -> int:
        """Seconds of one query: it ends before the soft limit, and so says what took so long."""
        return self.soft_time_limit * 9 // 10

    @property
    def lock_timeout(self) -> int:
        """Seconds that a query waits for a row or a table that another transaction has."""
        return min(max(2, self.runs_within), 30)


def closest(
    queues: Sequence[QueueClass], urgency: str | None, runtime: str | None, bound: str | None
) -> QueueClass:
    """The queue that shares the most with what was asked; the stricter one where two do."""

    def shared(queue: QueueClass) -> int:
        # What a task is bound by counts most: it decides the worker's shape.
        return (
            4 * (queue.bound == (bound or Bound.IO))
            + 2 * (queue.runtime == runtime)
            + (queue.urgency == urgency)
        )

    return max(queues, key=shared)


def declaration(queue: QueueClass) -> str:
    """A queue as a task declares it: `urgency="urgent", runtime="fast"`."""
    said = f'urgency="{queue.urgency}", runtime="{queue.runtime}"'
    return said + (f', bound="{queue.bound}"' if queue.bound != Bound.IO else "")
