"""Forecasts when a queue is drained at the present rates, and how many more workers it needs.

A worker's speed is what leaves the queue now, divided by the workers that serve it. Where no worker
serves it, or nothing leaves it, the forecast is one more. It never advises more workers than the
database has connections for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dutiful.catalogue.classes import QueueClass
from dutiful.catalogue.profiles import Profile, serving
from dutiful.current import app
from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.budget import plan
from dutiful.monitoring.snapshot.facts import Snapshot

HEADROOM: Final = 0.8
"""The share of a fleet that may be busy: above it, waiting times grow without limit."""
COMPOSE: Final = "docker-compose -f docker/compose.yaml up -d --scale"


@dataclass(frozen=True)
class Forecast:
    """`drained_in` is seconds; None: never, or not known. `more` are workers of `profile`."""

    known: bool
    drained_in: float | None
    more: int
    profile: str
    workers: int
    commands: tuple[str, ...] = ()
    refused: int = 0
    """Further workers that it needs, for which the database has no connections."""

    @property
    def short(self) -> int:
        """Workers that it needs, whether the database has connections for them or not."""
        return self.more + self.refused

    @property
    def text(self) -> str:
        if not self.known:
            return "The rates are not known yet."
        if self.drained_in == 0:
            return "It is drained."
        when = "never" if self.drained_in is None else f"in {span(self.drained_in)}"
        needs = (
            f"; it needs {self.short} more {'worker' if self.short == 1 else 'workers'} of profile"
            f" {self.profile}"
            if self.short
            else ""
        )
        if self.refused:
            needs += f", and the database has connections for {self.more or 'none'}"
        return f"At the present rates it is drained {when}{needs}."


def of(snapshot: Snapshot, queue: QueueClass, profiles: Sequence[Profile]) -> Forecast:
    """The forecast of a queue of the catalogue, from a snapshot."""
    seen = snapshot.queues.named(queue.name)
    profile = serving([queue.name], profiles)
    here = snapshot.workers.serving(queue.name)
    # Each profile has a share of the work; more of the first one that serves it is the advice.
    ours = sum(worker.profile == profile.name for worker in here)
    if seen is None or seen.depth is None or seen.arrivals is None or seen.departures is None:
        return Forecast(False, None, 0, profile.name, ours)
    found = forecast(
        depth=seen.depth,
        arrivals=seen.arrivals,
        departures=seen.departures,
        workers=len(here),
        of_profile=ours,
        profile=profile,
        promise=queue.starts_within,
    )
    return within(found, profile, largest(snapshot, profile) if found.more else None)


def largest(snapshot: Snapshot, profile: Profile) -> int | None:
    """How many workers of the profile the database has connections for; None: not known."""
    database = snapshot.database
    if database.unreachable or database.connections is None:
        return None
    planned = plan.budget({}, database.connections, snapshot.workers)
    names = [part.name for part in planned.parts if part.kind == f"worker_{profile.name}"]
    return planned.largest(names[0]) if names else None


def within(found: Forecast, profile: Profile, most: int | None) -> Forecast:
    """The same forecast with at most `most` workers of the profile."""
    more = found.more if most is None else min(found.more, max(0, most - found.workers))
    if more == found.more:
        return found
    return replace(
        found,
        more=more,
        refused=found.more - more,
        commands=(
            *commands(profile, found.workers, more),
            f"manage.py connections --formation worker_{profile.name}={found.workers + found.more}",
        ),
    )


def forecast(
    *,
    depth: int,
    arrivals: float,
    departures: float,
    workers: int,
    of_profile: int,
    profile: Profile,
    promise: float,
) -> Forecast:
    """`arrivals` and `departures` a second; `workers` serve the queue, `of_profile` of them are
    of the profile that would be added; `promise` in seconds.

    The fleet that is needed handles what arrives and drains the rest within the promise.
    """
    net = departures - arrivals
    drained: float | None = 0.0 if not depth else depth / net if net > 1e-9 else None
    if not depth or (drained is not None and drained <= promise):
        more = 0
    elif departures <= 0 or not workers:
        more = 1
    else:
        needed = arrivals / HEADROOM + depth / promise
        more = max(1, math.ceil(workers * (needed / departures - 1)))
    return Forecast(
        True, drained, more, profile.name, of_profile, commands(profile, of_profile, more)
    )


def commands(profile: Profile, now: int, more: int) -> tuple[str, ...]:
    """The same step on Heroku, in compose, and on one machine."""
    if not more:
        return ()
    process = f"worker_{profile.name}"
    slots = math.ceil(profile.slots * (now + more) / max(1, now))  # of each that runs now
    return (
        f"heroku ps:scale {process}={now + more}",
        f"{COMPOSE} {process}={now + more}",
        f"celery -A {app().main} worker --profile {profile.name} --concurrency {slots}",
    )


def start_one(queue: str, snapshot: Snapshot, profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Commands that start the first worker of a queue that has none, if connections allow one."""
    profile = serving([queue], profiles)
    first = Forecast(True, None, 1, profile.name, 0, commands(profile, 0, 1))
    return within(first, profile, largest(snapshot, profile)).commands
