"""Where the database's replicas stand, as tasks choose among them (dutiful/replicas)."""

from dataclasses import dataclass

from dutiful.replicas import status, watch


@dataclass(frozen=True, kw_only=True)
class Replica:
    name: str
    usable: bool | None = None
    """Whether tasks read there; None: not measured yet."""
    behind_seconds: float | None = None
    behind_bytes: int | None = None
    """Both None where it does not answer."""


def read() -> tuple[Replica, ...]:
    """In the order of REPLICA_URLS. Asks nobody: what was measured a second ago is told."""
    if not status.ALIASES:
        return ()
    watch.ensure_running()
    return tuple(_told(each) for each in status.each())


def _told(each: status.ReplicaStatus) -> Replica:
    if not each.answers:
        return Replica(name=each.alias, usable=False if each.at else None)
    return Replica(
        name=each.alias,
        usable=each.usable,
        behind_seconds=each.behind_seconds,
        behind_bytes=each.behind_bytes,
    )
