"""What the database has beside the snapshot: the last day, top tasks, failures and alerts.

One thread reads it (`page_data`). History changes once a minute, so it is read twice a minute.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from django.apps import apps

from dutiful.monitoring.alerts import copies
from dutiful.monitoring.slo.starts import Starts
from dutiful.monitoring.status import day, top_tasks, windows

if TYPE_CHECKING:
    from dutiful.deadletters.counts import GroupCount  # its app may not be installed

T = TypeVar("T")
HISTORY_SECONDS: Final = 30.0
GROUPS_SECONDS: Final = 5.0
"""Grouping is expensive while there are many dead letters."""
MOST_GROUPS: Final = 6


@dataclass(frozen=True)
class Records:
    starts: Starts
    days: dict[str, day.Day]
    """By queue: the last day."""
    tasks: top_tasks.Tasks
    groups: "list[GroupCount]"
    """Dead letters that are open, the largest groups first."""
    alerts: copies.Copy | None


class Kept(Generic[T]):
    """Caches what `read` returned for so many seconds."""

    def __init__(self, read: Callable[[], T], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._found: tuple[float, T] | None = None

    def get(self) -> T:
        now = time.monotonic()
        if self._found is None or now - self._found[0] >= self._seconds:
            self._found = now, self._read()
        return self._found[1]


def _groups() -> "list[GroupCount]":
    if not apps.is_installed("dutiful.deadletters"):
        return []
    from dutiful.deadletters import counts

    return counts.groups(MOST_GROUPS)


_kept_starts = Kept(windows.read, HISTORY_SECONDS)
_kept_days = Kept(day.read, HISTORY_SECONDS)
_kept_tasks = Kept(top_tasks.read, HISTORY_SECONDS)
_kept_groups = Kept(_groups, GROUPS_SECONDS)


def read() -> Records:
    """Raises django.db.Error."""
    return Records(
        starts=_kept_starts.get(),
        days=_kept_days.get(),
        tasks=_kept_tasks.get(),
        groups=_kept_groups.get(),
        alerts=copies.InDatabase().load(),
    )
