"""A tick as the message that Celery's scheduler sends."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from celery.beat import ScheduleEntry
from celery.schedules import crontab

from dutiful.catalogue.entries import Entry


def key(name: str, at: datetime) -> str:
    """What is unique of a tick: on the broker, and as the claim of its messages."""
    return f"{name}@{at.isoformat()}"


def expiry(entry: Entry, at: datetime) -> datetime:
    """Counted from the scheduled time: a tick that is late has less time left."""
    return at + timedelta(seconds=entry.expires)


def compose(
    entry: Entry, cron: crontab, at: datetime, headers: Mapping[str, str], app: Any
) -> ScheduleEntry:
    """What `apply_entry` takes. The headers say which tick it is."""
    options: dict[str, Any] = {
        "expires": expiry(entry, at),
        "outbox": False,  # a tick is a row already, with its own account of what became of it
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
