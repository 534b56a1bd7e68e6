"""This deployment's formation, running or planned, against the limits of its servers."""

import math
import resource
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from dutiful import env
from dutiful.conf import conf
from dutiful.current import app
from dutiful.monitoring.budget.sums import Budget, Limit, Measured, Part
from dutiful.monitoring.snapshot.facts import Workers
from dutiful.worker.deployment import procfile, resources
from dutiful.worker.deployment.configured import keeps_results


class NoSuchProcess(ValueError):
    """A planned formation names a process that the Procfile, listed in the message, lacks."""


def budget(
    planned: Mapping[str, int],
    measured: Measured,
    workers: Workers | None = None,
    limits: Iterable[Limit] | None = None,
) -> Budget:
    """`planned` says how many processes of a line run; of other lines, the running ones count.

    `limits` replace the server's. Behind a PgBouncer the server's limits do not apply, so only
    these count. Raises NoSuchProcess, ProfileError.
    """
    found = _procfile(env.ROOT, env.on_heroku())
    if unknown := set(planned) - {part.name for part in found}:
        there = ", ".join(part.name for part in found) or "nothing"
        raise NoSuchProcess(f"no {', '.join(sorted(unknown))} in the Procfile; it has {there}")
    if limits is None:
        limits = () if env.DATABASE_PGBOUNCER.get() else measured.limits
    parts = tuple(_counted(part, planned, measured, workers) for part in found)
    return Budget(parts, tuple(limits))


def files_allowed() -> int | None:
    """`ulimit -n`: file descriptors that a process here may open; None: no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


@cache
def _procfile(root: Path, heroku: bool) -> tuple[Part, ...]:
    """The lines of the Procfile, with the counts that they start with."""
    publishers, stored = app().conf.broker_pool_limit or 0, keeps_results(app())
    sqlite = env.DATABASE_URL.get().startswith("sqlite")
    found = []
    for line in procfile.read(root, profiles=conf().shapes, heroku=heroku):
        to_broker = resources.of_broker(line, publishers, stored)[1]
        files = resources.of_files(line, to_broker, sqlite)
        found.append(Part(line.name, line.kind, line.count, *resources.of_database(line), files))
    return tuple(found)


def _counted(
    part: Part, planned: Mapping[str, int], measured: Measured, workers: Workers | None
) -> Part:
    """The part with the count of what runs: workers by their leases, others by connections."""
    if part.name in planned:
        return replace(part, count=planned[part.name])
    alive = [each for each in workers.each if each.alive] if workers else []
    leased = sum(f"worker_{each.profile}" == part.kind for each in alive)
    needed = math.ceil(measured.live.get(part.kind, 0) / part.most) if part.most else 0
    return replace(part, count=max(leased or part.count, needed))
