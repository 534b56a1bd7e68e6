"""The part `workers`: their leases on the broker, and the facts that each adds to its own."""

from typing import Any

from dutiful.monitoring.snapshot.facts import Worker, Workers
from dutiful.transport.redis.look import Look, OwnerLook


def read(look: Look, lease_seconds: float, starts: list[tuple[str, str]]) -> Workers:
    """All workers by name. `starts` are profile and name of each start of the last hour."""
    by_profile: dict[str, int] = {}
    by_name: dict[str, int] = {}
    for profile, name in starts:
        by_profile[profile] = by_profile.get(profile, 0) + 1
        by_name[name] = by_name.get(name, 0) + 1
    found = [_worker(owner, look.now, lease_seconds, by_name) for owner in look.owners]
    return Workers(
        each=tuple(sorted(found, key=lambda worker: (worker.name, worker.id))),
        lease_seconds=lease_seconds,
        starts=by_profile,
        lost_total=look.lost,
    )


def _worker(owner: OwnerLook, now: float, lease_seconds: float, starts: dict[str, int]) -> Worker:
    facts: dict[str, Any] = owner.facts
    name = str(facts.get("worker") or owner.id)
    age = max(0.0, now - owner.refreshed)
    return Worker(
        name=name,
        id=owner.id,
        profile=str(facts.get("profile") or ""),
        pool=str(facts.get("pool") or ""),
        queues=tuple(facts.get("consumes") or ()),
        slots=facts.get("slots"),
        busy=facts.get("busy"),
        held=owner.held,
        memory=facts.get("memory"),
        memory_limit=facts.get("memory_limit"),
        lease_age=age,
        alive=age <= lease_seconds,
        draining=bool(facts.get("draining")),
        started_at=facts.get("since"),
        restarts=max(0, starts[name] - 1) if name in starts else None,
        task=str(facts.get("task") or ""),
    )
