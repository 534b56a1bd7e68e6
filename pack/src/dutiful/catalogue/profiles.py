"""The shapes of worker: which pool, how many slots, how much memory, which queues in which order.

Pure: the catalogue and the standard library only. The Procfile, the compose file and the docs are
tested against this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MB: Final = 1024 * 1024
GRACE: Final = 25
"""Seconds a worker may take to stop; a platform such as Heroku kills after 30."""


SLOTS_A_CONNECTION: Final = 12
"""threads: a task that waits for others most of its time leaves the database to eleven more."""
FEWEST_CONNECTIONS: Final = 4
"""Of a pool that threads share, however few they are."""
MAIN_CONNECTIONS: Final = 2
"""prefork: the main process's own, for the outbox's relay and for what children leave behind."""
ISOLATED_RUN_CONNECTIONS: Final = 1
"""Of the child that runs a suspect (dutiful/worker/quarantine/runner.py): any worker may
have one.
"""


class ProfileError(ValueError):
    """No profile of that name, or none that serves those queues."""


@dataclass(frozen=True)
class Served:
    """A queue in a profile, and the largest share of the profile's slots that it may take.

    The order is Celery's to keep, the share the Redis transport's.
    """

    queue: str
    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share of {self.queue} is {self.share}; it lies in (0, 1]")


@dataclass(frozen=True)
class Profile:
    """One shape of worker. Queues are served in the order given."""

    name: str
    pool: str
    """Celery's name of it: "threads" or "prefork"."""
    slots: int
    """How many tasks run at once."""
    memory: int
    """Bytes that the whole worker may use."""
    queues: tuple[Served, ...]
    tasks_per_child: int | None = None
    """prefork: a child is replaced after this many tasks, so that leaks end."""

    @property
    def queue_names(self) -> tuple[str, ...]:
        return tuple(served.queue for served in self.queues)

    @property
    def memory_per_child(self) -> int:
        """Bytes of one prefork child: the memory in equal parts, one for the main process."""
        return self.memory // (self.slots + 1)

    @property
    def database_connections(self) -> int:
        """The most that the whole worker opens to one database, its children's included."""
        return database_connections(self.pool, self.slots)


def shared_connections(slots: int) -> int:
    """The most that one process with so many threads opens: they share a pool."""
    return max(FEWEST_CONNECTIONS, slots // SLOTS_A_CONNECTION)


def database_connections(pool: str, slots: int) -> int:
    """Of a whole worker with such a pool, where flags have changed its profile's shape."""
    own = slots + MAIN_CONNECTIONS if pool == "prefork" else shared_connections(slots)
    return own + ISOLATED_RUN_CONNECTIONS


def named(name: str, profiles: Sequence[Profile]) -> Profile:
    """The profile of that name. Raises ProfileError with the choices."""
    for profile in profiles:
        if profile.name == name:
            return profile
    choices = ", ".join(profile.name for profile in profiles)
    raise ProfileError(f"there is no worker profile {name!r}; choose from {choices}.")


def serving(queues: Sequence[str], profiles: Sequence[Profile]) -> Profile:
    """The first profile that serves all these queues.

    Raises ProfileError when none does: work of two shapes does not share a worker.
    """
    served = list(dict.fromkeys(name for profile in profiles for name in profile.queue_names))
    for queue in queues:
        if queue not in served:
            raise ProfileError(
                f"queue {queue!r} is not in the catalogue, or no profile serves it. Served are:"
                f" {', '.join(served)}."
            )
    for profile in profiles:
        if set(queues) <= set(profile.queue_names):
            return profile
    serves = "; ".join(f"{p.name} ({p.pool}): {', '.join(p.queue_names)}" for p in profiles)
    raise ProfileError(
        f"no profile serves {', '.join(queues)} together: threads that wait starve beside processes"
        f" that compute. Start a worker for each profile. {serves}."
    )


def in_order(profile: Profile, queues: Sequence[str]) -> list[str]:
    """The queues asked for, in the profile's order; those that it does not serve come last."""
    asked = list(dict.fromkeys(queues))
    served = [name for name in profile.queue_names if name in asked]
    return served + [name for name in asked if name not in served]
