"""The database's replicas and their lag, as tasks choose among them (`dutiful.replicas`)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING:
    from dutiful.replicas.status import ReplicaStatus


@dataclass(frozen=True, kw_only=True)
class Replica:
    name: str
    usable: bool | None = None
    """Whether tasks read there; None: not measured yet."""
    behind_seconds: float | None = None
    behind_bytes: int | None = None
    """Both None where it does not answer."""


def read() -> tuple[Replica, ...]:
    """In the order of REPLICA_URLS, as measured within the last second or so; no server is asked.

    Empty where `dutiful.replicas` is not installed.
    """
    if not apps.is_installed("dutiful.replicas"):
        return ()
    from dutiful.replicas import status, watch

    if not status.ALIASES:
        return ()
    watch.ensure_running()
    return tuple(_replica(each) for each in status.each())


def _replica(each: "ReplicaStatus") -> Replica:
    if not each.answers:
        return Replica(name=each.alias, usable=False if each.at else None)
    return Replica(
        name=each.alias,
        usable=each.usable,
        behind_seconds=each.behind_seconds,
        behind_bytes=each.behind_bytes,
    )
