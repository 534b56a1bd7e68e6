"""An entry of the schedule in `beat/schedule.py`. It uses the standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the schedule. All its values are literals (dutiful/beat/checks.py)."""

    name: str
    """Unique and stable across deploys: pauses and past ticks belong to it."""
    task: str
    """The registered name of the task."""
    cron: str
    """minute hour day-of-month month day-of-week, in UTC. Both days must match, as in Celery."""
    expires: int
    """Seconds after the scheduled time during which a run is still useful."""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    """Only if it is not the task's own queue, as for heartbeats."""
    app: str | None = None
    """The entry exists only if this app is installed."""
