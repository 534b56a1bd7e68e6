"""This deployment's formation: what runs, or what is planned, against what its servers give."""

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
    """A planned formation names what is no line of the Procfile. The message lists them."""


def budget(
    planned: Mapping[str, int],
    measured: Measured,
    workers: Workers | None = None,
    limits: Iterable[Limit] | None = None,
) -> Budget:
    """`planned` says how many of a line run; of the others, what is seen of them counts.

    `limits` instead of the server's. Behind a PgBouncer the server's are not the formation's: none
    but these. Raises NoSuchProcess, ProfileError.
    """
    found = _procfile(env.ROOT, env.on_heroku())
    if strangers := set(planned) - {part.name for part in found}:
        there = ", ".join(part.name for part in found) or "nothing"
        raise NoSuchProcess(f"no {', '.join(sorted(strangers))} in the Procfile; it has {there}")
    if limits is None:
        limits = () if env.DATABASE_PGBOUNCER.get() else measured.limits
    parts = tuple(_counted(part, planned, measured, workers) for part in found)
    return Budget(parts, tuple(limits))


def files_allowed() -> int | None:
    """`ulimit -n` here: descriptors that a process may open; None: as many as it likes."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


@cache
def _procfile(root: Path, heroku: bool) -> tuple[Part, ...]:
    """Its lines, which do not change while a process runs, as many of each as it starts with."""
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
    """Workers by their leases; of anything, at least as many as its connections must come from."""
    if part.name in planned:
        return replace(part, count=planned[part.name])
    alive = [each for each in workers.each if each.alive] if workers else []
    leased = sum(f"worker_{each.profile}" == part.kind for each in alive)
    needed = math.ceil(measured.live.get(part.kind, 0) / part.most) if part.most else 0
    return replace(part, count=max(leased or part.count, needed))
