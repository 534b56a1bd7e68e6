"""Each entry of the schedule and what became of its last time. Imported only where beat is
installed: it needs the models of `dutiful.beat`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from dutiful.beat import times
from dutiful.beat.installed import schedule
from dutiful.beat.models import Heartbeat, Tick
from dutiful.catalogue.entries import Entry
from dutiful.monitoring.snapshot.clock import Clock
from dutiful.monitoring.snapshot.facts import Beat, BeatEntry


@dataclass(frozen=True)
class Rows:
    """What the database knows of the schedule, by entry and by queue."""

    plan: dict[str, Any]
    ticks: dict[str, Tick]
    beats: dict[str, Heartbeat]
    pending: int
    missed: int


def rows() -> Rows:
    """Five queries, whatever the number of entries and ticks. Raises django.db.Error."""
    newest = Tick.objects.filter(entry=OuterRef("name")).order_by("-scheduled_at")
    plan = {
        row.name: row
        for row in PeriodicTask.objects.annotate(newest=Subquery(newest.values("pk")[:1]))
    }
    ticks = Tick.objects.in_bulk([row.newest for row in plan.values() if row.newest])
    day = timezone.now() - timedelta(days=1)
    return Rows(
        plan=plan,
        ticks={tick.entry: tick for tick in ticks.values()},
        beats={row.queue: row for row in Heartbeat.objects.all()},
        pending=Tick.objects.filter(state=Tick.State.PENDING).count(),
        missed=Tick.objects.filter(state=Tick.State.MISSED, scheduled_at__gte=day).count(),
    )


def read(seen: Clock, found: Rows | None, why: str) -> Beat:
    """As `beat.read`, of an app that is installed."""
    now = timezone.now()
    return Beat(
        unreachable=why,
        leader=seen.leader,
        leader_unreachable=seen.unreachable,
        entries=tuple(_entry(entry, now, seen, found) for entry in schedule()),
        pending=found.pending if found else None,
        missed=found.missed if found else None,
    )


def _entry(entry: Entry, now: datetime, seen: Clock, found: Rows | None) -> BeatEntry:
    row = found.plan.get(entry.name) if found else None
    tick = found.ticks.get(entry.name) if found else None
    beat = (
        found.beats.get(entry.queue or "")
        if found and entry.task == "dutiful.beat.heartbeat"
        else None
    )
    due = row.last_run_at if row else seen.last.get(entry.name)
    paused = not row.enabled if row else entry.name in seen.paused
    since = due or (row.date_changed if row else None)
    following = _following(entry.cron, since) if since else None
    overdue = (now - following).total_seconds() if following and not paused else 0.0
    return BeatEntry(
        name=entry.name,
        task=entry.task,
        queue=entry.queue or "" if entry.task == "dutiful.beat.heartbeat" else "",
        paused=paused,
        due_at=_epoch(due),
        sent_at=_epoch(tick.sent_at if tick else None),
        ran_at=_epoch(beat.ran_at if beat else None),
        state=tick.state if tick else "",
        error=tick.error if tick else "",
        next_at=_epoch(following),
        overdue_seconds=max(0.0, overdue),
    )


@lru_cache(maxsize=1000)
def _following(cron: str, moment: datetime) -> datetime:
    return times.following(times.parse(cron), moment.astimezone(UTC))


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
