"""Copies the schedule to the rows that the admin shows, and reads their pauses (`enabled`)."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from dutiful.catalogue.entries import Entry

UNKNOWN: Final = "Not in beat/schedule.py, so beat has disabled it. Delete the row in a shell."
"""The description of a row that the schedule does not have."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """The part of a row that beat reads."""

    enabled: bool
    since: datetime
    """Times up to here need no tick: the last tick, or when the row was made or resumed."""


def read() -> dict[str, Row]:
    """All rows, by name. Raises django.db.Error."""
    return {
        row.name: Row(row.enabled, row.last_run_at or row.date_changed)
        for row in PeriodicTask.objects.all()
    }


def fits(rows: dict[str, Row], entries: Iterable[Entry]) -> bool:
    """False if a row is missing, or if a row is enabled that the schedule does not have."""
    names = {entry.name for entry in entries}
    return names <= set(rows) and not any(
        row.enabled for name, row in rows.items() if name not in names
    )


def write(entries: Iterable[Entry]) -> None:
    """Makes the rows equal to the schedule. Pauses stay; unknown rows are disabled and logged."""
    with transaction.atomic():
        rows = {row.name: row for row in PeriodicTask.objects.select_related("crontab")}
        for entry in entries:
            _write(rows.pop(entry.name, None) or PeriodicTask(name=entry.name), entry)
        unknown = [row for row in rows.values() if row.enabled]
        for row in unknown:
            row.enabled, row.description = False, UNKNOWN
            row.save()
    for row in unknown:
        logger.error("schedule row %r is not in beat/schedule.py: disabled", row.name)


def _write(row: Any, entry: Entry) -> None:
    minute, hour, day, month, weekday = entry.cron.split()
    wanted = {
        "task": entry.task,
        "crontab": CrontabSchedule.objects.get_or_create(
            minute=minute,
            hour=hour,
            day_of_month=day,
            month_of_year=month,
            day_of_week=weekday,
            timezone="UTC",
        )[0],
        "interval": None,
        "solar": None,
        "clocked": None,
        "args": json.dumps(list(entry.args)),
        "kwargs": json.dumps(dict(entry.kwargs)),
        "queue": entry.queue,
        "expires": None,
        "expire_seconds": entry.expires,
        "one_off": False,
        "start_time": None,
        "description": "",
    }
    # Beat disabled the row, since an older deploy did not have the entry; it was not paused.
    returns = row.description == UNKNOWN
    changed = {name for name, value in wanted.items() if getattr(row, name) != value}
    if row.pk and not changed and not returns:
        return
    if "crontab" in changed:
        row.last_run_at = None  # a new crontab starts from now, without ticks for the past
    for name, value in wanted.items():
        setattr(row, name, value)
    row.enabled = row.enabled or returns
    row.save()
