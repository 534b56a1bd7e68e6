"""A queue of the catalogue: how long its tasks may wait and run, and what they are bound by.

It uses the standard library only, since `tasks/queues.py` imports it while the settings are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
KB: Final = 1024
DEFAULT_PAYLOAD_LIMIT: Final = 32 * KB
"""Bytes. Far more than primary keys need; a broker can still hold thousands of such messages."""


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
    """What a task spends its time on: waiting for other machines, or this machine's processor."""

    IO = "io"
    COMPUTE = "compute"


@dataclass(frozen=True)
class QueueClass:
    """One queue and its promises. Times are in seconds, sizes in bytes."""

    urgency: Urgency
    runtime: Runtime
    bound: str
    """One of Bound, or the project's own, such as "gpu"."""
    starts_within: int
    """99 % of its tasks start within this many seconds."""
    runs_within: int
    """95 % of its tasks run for at most this many seconds. A target, not the limit."""
    payload_limit: int = DEFAULT_PAYLOAD_LIMIT
    """The most bytes that the arguments of a call may have as JSON."""

    @property
    def name(self) -> str:
        """The queue's name, with every bound but io: `average_slow`, `average_slow_compute`."""
        parts = [self.urgency, self.runtime] + [self.bound] * (self.bound != Bound.IO)
        return "_".join(map(str, parts))

    @property
    def soft_time_limit(self) -> int:
        """Seconds after which the task receives SoftTimeLimitExceeded."""
        return max(30, 10 * self.runs_within)

    @property
    def time_limit(self) -> int:
        """Seconds after which the task is killed."""
        return self.soft_time_limit + 30

    @property
    def statement_timeout(self) -> int:
        """The most seconds of a query: below the soft limit, so that the error names the query."""
        return self.soft_time_limit * 9 // 10

    @property
    def lock_timeout(self) -> int:
        """The most seconds that a query waits for a lock of another transaction."""
        return min(max(2, self.runs_within), 30)


def closest(
    queues: Sequence[QueueClass], urgency: str | None, runtime: str | None, bound: str | None
) -> QueueClass:
    """The queue that matches most of the request; of two equal ones the stricter."""

    def shared(queue: QueueClass) -> int:
        # The bound counts most: it decides the shape of the worker.
        return (
            4 * (queue.bound == (bound or Bound.IO))
            + 2 * (queue.runtime == runtime)
            + (queue.urgency == urgency)
        )

    return max(queues, key=shared)


def declaration(queue: QueueClass) -> str:
    """A queue as a task declares it: `urgency="urgent", runtime="fast"`."""
    text = f'urgency="{queue.urgency}", runtime="{queue.runtime}"'
    return text + (f', bound="{queue.bound}"' if queue.bound != Bound.IO else "")
