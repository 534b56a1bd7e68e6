"""What `DUTIFUL` may hold: one attribute a key, with its default and its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dutiful import env
from dutiful.catalogue import defaults
from dutiful.catalogue.classes import QueueClass, closest
from dutiful.catalogue.entries import Entry
from dutiful.catalogue.profiles import Profile
from dutiful.conf.places import Place


@dataclass(frozen=True)
class Conf:
    """The attribute `queues` is the key `QUEUES`, and so on. Times are in seconds."""

    app: str = ""
    """The dotted path of the Celery app; "": `celery.app` beside the settings."""
    queues: tuple[QueueClass, ...] = defaults.QUEUES
    """The catalogue, as `QueueClass`es."""
    profiles: Mapping[str, tuple[Profile, ...]] = field(default_factory=lambda: defaults.PROFILES)
    """The shapes of worker by preset; a plain tuple of profiles is one preset, "standard"."""
    schedule: tuple[Entry, ...] = ()
    """The project's own entries of beat; the pack adds its housekeeping. Without this key: a
    heartbeat a minute for each queue."""
    undeclared: str = ""
    """The queue of tasks that declare no urgency and runtime; "": such a task is an error."""
    housekeeping: str = ""
    """The queue of Celery's own tasks; "": the one closest to average, fast and io."""
    preset: str = field(default_factory=lambda: env.WORKER_PRESET.get())
    """Which of the profiles' presets applies."""
    grace_seconds: float = field(default_factory=lambda: env.GRACE_SECONDS.get())
    """How long a worker that stops lets its tasks run on."""
    environment: str = field(default_factory=lambda: env.ENVIRONMENT.get())
    """development, production or test."""
    flower_url: str = field(default_factory=lambda: env.FLOWER_URL.get())
    """Where people reach Flower: a link on the status page."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Not a key: where the value of each key is written."""

    @cached_property
    def by_name(self) -> dict[str, QueueClass]:
        return {queue.name: queue for queue in self.queues}

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.by_name)

    @cached_property
    def shapes(self) -> tuple[Profile, ...]:
        """The profiles of the preset that applies, in the order in which they are asked."""
        return self.profiles[self.preset]

    @cached_property
    def for_housekeeping(self) -> QueueClass:
        if self.housekeeping:
            return self.by_name[self.housekeeping]
        return closest(self.queues, "average", "fast", "io")

    @cached_property
    def for_undeclared(self) -> QueueClass | None:
        return self.by_name[self.undeclared] if self.undeclared else None

    @cached_property
    def smallest_payload(self) -> int:
        """Bytes that every queue takes."""
        return min(queue.payload_limit for queue in self.queues)
