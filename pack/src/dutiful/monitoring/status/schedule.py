"""The section of the schedule: which beat leads, and when each entry was due, sent and run."""

from dataclasses import dataclass

from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.alerts.rules import fleet
from dutiful.monitoring.snapshot.facts import BeatEntry
from dutiful.monitoring.status import formatting
from dutiful.monitoring.status.formatting import UNKNOWN, State
from dutiful.monitoring.status.page_data import PageData


@dataclass(frozen=True)
class Row:
    name: str
    state: State
    due: str
    sent: str
    ran: str
    """Heartbeats only: other runs are not tracked by entry."""
    next: str
    """Time until the next run; the three above are times ago."""


@dataclass(frozen=True)
class Schedule:
    unreachable: str
    leader: State
    holder: str
    """Host and process: for staff."""
    rows: list[Row]


def of(data: PageData) -> Schedule:
    beat, now = data.snapshot.beat, data.snapshot.taken_at
    return Schedule(
        unreachable=beat.unreachable,
        leader=_leader(data),
        holder=beat.leader,
        rows=[_row(entry, data, now) for entry in beat.entries],
    )


def _leader(data: PageData) -> State:
    beat = data.snapshot.beat
    if not beat.installed:
        return State("none", "Beat is not installed: nothing is scheduled here")
    if beat.leader_unreachable:
        return State("none", "Which beat leads is not known")
    silent = data.findings.get("beat-silent")
    if not beat.leader:
        return State("bad", "No beat runs")
    if silent and silent.bad:
        return State("bad", "A beat leads, but does not tick")
    owed = f", {beat.pending} ticks are due" if beat.pending else ""
    missed = f", {beat.missed} missed today" if beat.missed else ""
    return State("warn" if owed or missed else "ok", f"A beat ticks{owed}{missed}")


def _row(entry: BeatEntry, data: PageData, now: float) -> Row:
    return Row(
        name=entry.name,
        state=_state(entry, data),
        due=_since(entry.due_at, now),
        sent=_since(entry.sent_at, now),
        ran=_since(entry.ran_at, now) if entry.queue else "",
        next="now" if entry.next_at and entry.next_at <= now else _since(entry.next_at, now),
    )


def _since(then: float | None, now: float) -> str:
    return UNKNOWN if then is None else formatting.brief(now - then)


def _state(entry: BeatEntry, data: PageData) -> State:
    if entry.paused:
        return State("none", "Paused")
    if entry.state == "missed":
        return State("bad", "Missed")
    if entry.overdue_seconds > fleet.OVERDUE:
        return State("bad", f"Overdue by {span(round(entry.overdue_seconds))}")
    if entry.state == "pending":
        return State("warn", "Not sent yet")
    late = data.findings.get(f"heartbeat-late:{entry.queue}") if entry.queue else None
    if late is not None and late.bad:
        return State("bad", "Does not arrive")
    if not entry.due_at:
        return State("none", "Not due yet")
    return State("ok", "On time")
