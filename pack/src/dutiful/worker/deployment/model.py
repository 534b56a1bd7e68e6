"""What a deployment counts on, as the doctor is told it: this room may not import what knows it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One line of the Procfile and the connections to the broker that it takes."""

    name: str
    count: int
    """How many of it run."""
    rest: int
    """Connections of one, idle."""
    most: int
    """Connections of one with every slot or thread busy."""


@dataclass(frozen=True)
class Deployment:
    """The configured side. Times in seconds."""

    longest_run: float
    """The longest hard time limit of any queue or task."""
    longest_run_of: str
    """Whose it is."""
    longest_delay: float
    """The longest wait before a retry."""
    visibility_timeout: float | None
    """After this a stock worker's message goes to another. None: not a Redis."""
    lease: float | None
    """How long a worker is missed before its messages go to another. None: stock transport."""
    grace: float
    """How long a worker takes to stop, at most."""
    platforms: Mapping[str, float]
    """By platform: how long it waits after SIGTERM before it kills."""
    processes: tuple[Process, ...]
    """The whole Procfile. Empty: there is none to read."""
