"""The form of a line in `beat/schedule.py`. Pure: standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the schedule. Everything in it is written out; `dutiful/beat/checks.py` sees to
    that.
    """

    name: str
    """Unique, and stable across deploys: pauses and past ticks hang on it."""
    task: str
    """The registered name of the task."""
    cron: str
    """minute hour day-of-month month day-of-week, in UTC. Both days must match, as in Celery."""
    expires: int
    """Seconds after the scheduled time until which a run still makes sense."""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    """Only where the task's own queue is not the one, as with the heartbeats."""
    app: str | None = None
    """The installed app without which there is no such entry."""
