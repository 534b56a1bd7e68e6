"""A tick as the message that Celery's scheduler sends."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from celery.beat import ScheduleEntry
from celery.schedules import crontab

from dutiful.catalogue.entries import Entry


def key(name: str, at: datetime) -> str:
    """The unique key of a tick: on the broker, and as the dispatch token of its messages."""
    return f"{name}@{at.isoformat()}"


def expiry(entry: Entry, at: datetime) -> datetime:
    """When a tick expires, counted from its scheduled time and not from the publish."""
    return at + timedelta(seconds=entry.expires)


def compose(
    entry: Entry, cron: crontab, at: datetime, headers: Mapping[str, str], app: Any
) -> ScheduleEntry:
    """The argument of Celery's `apply_entry`. The headers say which tick the message is."""
    options: dict[str, Any] = {
        "expires": expiry(entry, at),
        "outbox": False,  # a tick is a row already, and its state is kept there
        "headers": {
            "periodic_task_name": entry.name,
            "scheduled_at": at.isoformat(),
            **headers,
        },
    }
    if entry.queue:
        options["queue"] = entry.queue
    return ScheduleEntry(
        name=entry.name,
        task=entry.task,
        schedule=cron,
        args=entry.args,
        kwargs=dict(entry.kwargs),
        options=options,
        app=app,
    )
