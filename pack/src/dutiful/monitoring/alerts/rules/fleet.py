"""Rules about the processes: beat, its heartbeats through every queue, and workers."""

from typing import Final

from dutiful.catalogue.classes import MINUTE
from dutiful.conf.queues import by_name, known
from dutiful.current import app
from dutiful.monitoring.alerts.alert import Finding
from dutiful.monitoring.alerts.collected import Collected
from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.snapshot.facts import BeatEntry, Worker

OVERDUE: Final = 5.0
"""Seconds that a scheduled time may have passed without a tick."""
LATELY: Final = 600.0
STARTS: Final = 6
"""Starts of one worker in an hour: the first, and one for each of five deploys."""


def beat_silent(collected: Collected) -> list[Finding] | None:
    beat = collected.snapshot.beat
    if not beat.installed:
        return []
    if beat.unreachable and beat.leader_unreachable:
        return None
    leaderless = not beat.leader and not beat.leader_unreachable
    overdue = max((entry.overdue_seconds for entry in beat.entries if not entry.paused), default=0)
    why = "no beat holds the lease" if leaderless else f"a run is overdue by {span(overdue)}"
    return [
        Finding(
            rule="beat-silent",
            bad=leaderless or overdue > OVERDUE,
            value=round(overdue, 1),
            promise=OVERDUE,
            unit="seconds",
            text=f"No beat ticks the schedule: {why}.",
            advice=(f"celery -A {app().main} beat", "heroku ps:restart beat"),
        )
    ]


def heartbeat_allowed(queue: str) -> float:
    """Seconds between two arrivals: the schedule's minute, the promise, a minute for a deploy."""
    return MINUTE + by_name(queue).starts_within + MINUTE


def heartbeat_age(entry: BeatEntry, collected: Collected) -> float:
    """Seconds since the last one arrived, or since the monitor's start where none did."""
    return collected.now - max(entry.ran_at or 0.0, 0.0 if entry.ran_at else collected.since)


def heartbeat_late(collected: Collected) -> list[Finding] | None:
    if collected.snapshot.beat.unreachable:
        return None
    found = []
    for entry in collected.snapshot.beat.entries:
        if not known(entry.queue) or entry.paused:
            continue
        age, allowed = heartbeat_age(entry, collected), heartbeat_allowed(entry.queue)
        where = "beat did not send it" if entry.state == "pending" else "no worker ran it"
        found.append(
            Finding(
                rule="heartbeat-late",
                subject=entry.queue,
                bad=age > allowed,
                value=round(age, 1),
                promise=allowed,
                unit="seconds",
                text=f"{entry.queue}: the last heartbeat came {span(age)} ago, promised is one each"
                f" {span(allowed)}; {where}.",
            )
        )
    return found


def ticks_missed(collected: Collected) -> list[Finding] | None:
    missed = collected.counters.rise("ticks missed", LATELY)
    if collected.snapshot.beat.unreachable or missed is None:
        return None
    return [
        Finding(
            rule="ticks-missed",
            bad=missed > 0,
            value=missed,
            promise=0,
            unit="ticks",
            text=f"{missed} scheduled runs of the last {span(LATELY)} were not published before"
            " they expired. The admin shows them (Ticks, state: missed).",
        )
    ]


def worker_lost(collected: Collected) -> list[Finding] | None:
    workers = collected.snapshot.workers
    if workers.unreachable:
        return None
    silent = [worker for worker in workers.each if not worker.alive]
    lost = (collected.counters.rise("workers lost", LATELY) or 0) + len(silent)
    last = ", ".join(_last(worker) for worker in silent[:3])
    return [
        Finding(
            rule="worker-lost",
            bad=lost > 0,
            value=lost,
            promise=0,
            unit="workers",
            text=f"Workers that disappeared in the last {span(LATELY)}: {lost}."
            + (
                f" {last}."
                if last
                else " Other workers have their messages, and log which worker it was."
            ),
        )
    ]


def _last(worker: Worker) -> str:
    memory = f"{worker.memory / 2**20:.0f} MiB" if worker.memory else "not known"
    return f"{worker.name} (last lease {span(worker.lease_age)} ago, memory {memory})"


def worker_restarts(collected: Collected) -> list[Finding] | None:
    workers = collected.snapshot.workers
    if workers.unreachable:
        return None
    found = []
    for profile, starts in workers.starts.items():
        alive = sum(worker.alive and worker.profile == profile for worker in workers.each)
        allowed = STARTS * max(1, alive)
        found.append(
            Finding(
                rule="worker-restarts",
                subject=profile,
                bad=starts > allowed,
                well=starts <= allowed * 0.8,
                value=starts,
                promise=allowed,
                unit="starts an hour",
                text=f"Workers of profile {profile or '(none)'} started {starts} times in the last"
                f" hour; expected are at most {allowed} with {alive} of them alive.",
            )
        )
    return found
