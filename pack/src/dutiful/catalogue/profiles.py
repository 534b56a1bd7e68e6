"""The shapes of worker: pool, slots, memory, and queues in their order.

It uses the standard library only. Procfile, compose file and docs are tested against the profiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MB: Final = 1024 * 1024
GRACE: Final = 25
"""Seconds that a worker may take to stop; a platform such as Heroku kills it after 30."""


SLOTS_A_CONNECTION: Final = 12
"""Threads that share one database connection, since tasks on threads mostly wait for others."""
FEWEST_CONNECTIONS: Final = 4
"""The fewest connections that threads share."""
MAIN_CONNECTIONS: Final = 2
"""Connections of a prefork main process, for the outbox's relay and for crashed children."""
ISOLATED_RUN_CONNECTIONS: Final = 1
"""Connections of the child that runs a suspect in isolation (dutiful/worker/quarantine)."""


class ProfileError(ValueError):
    """There is no profile of that name, or none that serves those queues."""


@dataclass(frozen=True)
class Served:
    """A queue in a profile, and the largest share of the profile's slots that it may take.

    Celery keeps the order of queues, the Redis transport the shares.
    """

    queue: str
    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(
                f"share of {self.queue} is {self.share}; it must be above 0 and at most 1"
            )


@dataclass(frozen=True)
class Profile:
    """One shape of worker. It serves its queues in the given order."""

    name: str
    pool: str
    """Celery's name of the pool: "threads" or "prefork"."""
    slots: int
    """How many tasks run at once."""
    memory: int
    """The most bytes that the whole worker may use."""
    queues: tuple[Served, ...]
    tasks_per_child: int | None = None
    """Tasks after which a prefork child is replaced, so that leaks end."""

    @property
    def queue_names(self) -> tuple[str, ...]:
        return tuple(served.queue for served in self.queues)

    @property
    def memory_per_child(self) -> int:
        """The most bytes of one prefork child: an equal share, like the main process's."""
        return self.memory // (self.slots + 1)

    @property
    def database_connections(self) -> int:
        """The most connections of the whole worker to one database, its children included."""
        return database_connections(self.pool, self.slots)


def shared_connections(slots: int) -> int:
    """The most connections of a process with so many threads, which share a pool."""
    return max(FEWEST_CONNECTIONS, slots // SLOTS_A_CONNECTION)


def database_connections(pool: str, slots: int) -> int:
    """The most connections of a worker with this pool and this many slots."""
    own = slots + MAIN_CONNECTIONS if pool == "prefork" else shared_connections(slots)
    return own + ISOLATED_RUN_CONNECTIONS


def named(name: str, profiles: Sequence[Profile]) -> Profile:
    """The profile of that name. Raises ProfileError with the existing names."""
    for profile in profiles:
        if profile.name == name:
            return profile
    choices = ", ".join(profile.name for profile in profiles)
    raise ProfileError(f"there is no worker profile {name!r}; choose from {choices}.")


def serving(queues: Sequence[str], profiles: Sequence[Profile]) -> Profile:
    """The first profile that serves all these queues. Raises ProfileError if none does."""
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
        f"no profile serves {', '.join(queues)} together. Start one worker for each profile."
        f" {serves}."
    )


def in_order(profile: Profile, queues: Sequence[str]) -> list[str]:
    """These queues in the profile's order; those that it does not serve come last."""
    asked = list(dict.fromkeys(queues))
    served = [name for name in profile.queue_names if name in asked]
    return served + [name for name in asked if name not in served]
