"""What a deployment is set to, as plain data: the doctor reads this, and not the settings."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One Procfile entry and its connections to the broker."""

    name: str
    count: int
    """How many of it run."""
    rest: int
    """Connections of one, idle."""
    most: int
    """Connections of one with every slot or thread busy."""


@dataclass(frozen=True)
class Deployment:
    """The configured side. Times are in seconds."""

    longest_run: float
    """The longest hard time limit of any queue or task."""
    longest_run_of: str
    """The name of that queue or task."""
    longest_delay: float
    """The longest pause before a retry."""
    visibility_timeout: float | None
    """After this time a message of a stock worker goes to another. None: the broker is no Redis."""
    lease: float | None
    """After this time a lost worker's messages go to another. None: stock kombu's transport."""
    grace: float
    """How long a worker takes to stop, at most."""
    platforms: Mapping[str, float]
    """By platform: how long it waits after SIGTERM before it sends SIGKILL."""
    processes: tuple[Process, ...]
    """The entries of the Procfile; empty where there is none."""
