"""The catalogue of queues: how long a task may wait, how long it may run, what it is bound by.

Everything else (time limits, profiles, routes, docs) derives from this file or is tested against
it. Pure: standard library and kombu only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kombu import Exchange, Queue

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
    bound: Bound
    starts_within: int
    """99 % of its tasks start within this many seconds."""
    runs_within: int
    """95 % of its tasks run for at most this many seconds. A target, not the limit."""
    payload_limit: int = DEFAULT_PAYLOAD_LIMIT
    """The most bytes that a task's arguments may take together, as JSON."""

    @property
    def name(self) -> str:
        parts = [self.urgency, self.runtime] + [self.bound] * (self.bound is Bound.COMPUTE)
        return "_".join(parts)

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


_U, _R, _B = Urgency, Runtime, Bound
CATALOGUE: Final = (
    QueueClass(_U.URGENT, _R.FAST, _B.IO, 5, 1, 8 * KB),
    QueueClass(_U.AVERAGE, _R.FAST, _B.IO, MINUTE, 10),
    QueueClass(_U.AVERAGE, _R.SLOW, _B.IO, 5 * MINUTE, 5 * MINUTE),
    QueueClass(_U.AVERAGE, _R.SLOW, _B.COMPUTE, 5 * MINUTE, 5 * MINUTE),
    QueueClass(_U.RELAXED, _R.SLOW, _B.IO, HOUR, 30 * MINUTE),
    QueueClass(_U.RELAXED, _R.SLOW, _B.COMPUTE, HOUR, 30 * MINUTE),
)
BY_NAME: Final = {queue.name: queue for queue in CATALOGUE}
NAMES: Final = tuple(BY_NAME)
HOUSEKEEPING: Final = BY_NAME["average_fast"]
"""Where Celery's own tasks (celery.chord_unlock and the like) run: nobody can declare theirs."""


class NotInCatalogue(ValueError):
    """A combination, or a queue name, that the catalogue does not have."""


def nearest(urgency: str | None, runtime: str | None, bound: str | None) -> QueueClass:
    """The queue that shares the most with what was asked; the stricter one where two do."""

    def shared(queue: QueueClass) -> int:
        # What a task is bound by counts most: it decides the worker's shape.
        return (
            4 * (queue.bound == (bound or Bound.IO))
            + 2 * (queue.runtime == runtime)
            + (queue.urgency == urgency)
        )

    return max(CATALOGUE, key=shared)


def find(urgency: str, runtime: str, bound: str = Bound.IO) -> QueueClass:
    """The queue of a combination. Raises NotInCatalogue with the nearest and the choices."""
    for queue in CATALOGUE:
        if (queue.urgency, queue.runtime, queue.bound) == (urgency, runtime, bound):
            return queue
    raise NotInCatalogue(
        f"urgency={str(urgency)!r}, runtime={str(runtime)!r}, bound={str(bound)!r} is not in the"
        f" catalogue (tasks/queues.py). {advice(urgency, runtime, bound)}"
    )


def declaration(queue: QueueClass) -> str:
    """A queue as a task declares it: `urgency="urgent", runtime="fast"`."""
    said = f'urgency="{queue.urgency}", runtime="{queue.runtime}"'
    return said + (f', bound="{queue.bound}"' if queue.bound is not Bound.IO else "")


def advice(urgency: str | None, runtime: str | None, bound: str | None) -> str:
    """The second half of an error: the nearest class, then all of them."""
    choices = "; ".join(f"{declaration(queue)} ({queue.name})" for queue in CATALOGUE)
    return f"Nearest: {declaration(nearest(urgency, runtime, bound))}. Choices: {choices}."


def by_name(name: str) -> QueueClass:
    """The queue of that name. Raises NotInCatalogue with the choices."""
    try:
        return BY_NAME[name]
    except KeyError:
        raise NotInCatalogue(
            f"queue {name!r} is not in the catalogue (tasks/queues.py): {', '.join(NAMES)}."
        ) from None


def kombu_queues() -> tuple[Queue, ...]:
    """The catalogue as Celery's `task_queues`."""
    return tuple(Queue(name, Exchange("tasks"), routing_key=name) for name in NAMES)
