"""What the Redis that beats share knows of them: which one leads, last times, pauses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps


def installed() -> bool:
    """Whether there is a beat at all: `dutiful.beat` may be left out."""
    return apps.is_installed("dutiful.beat")


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What the Redis that beats share knows of them."""

    leader: str = ""
    """host/pid/… of the one that leads; "" where none does."""
    last: Mapping[str, datetime] = field(default_factory=dict)
    """By entry: its last scheduled time that was ticked."""
    paused: frozenset[str] = frozenset()
    unreachable: str = ""


def ask(pipe: Any, prefix: str) -> None:
    """Adds three commands to a pipeline of that Redis; none without beat."""
    if not installed():
        return
    from dutiful.beat.shared import LAST_KEY, LEASE_KEY, PAUSED_KEY

    pipe.get(f"{prefix}{LEASE_KEY}")
    pipe.hgetall(f"{prefix}{LAST_KEY}")
    pipe.smembers(f"{prefix}{PAUSED_KEY}")


def read(lease: Any = None, last: Any = None, paused: Any = None) -> Clock:
    """From the replies to `ask`; a reply that is an error counts as nothing."""
    return Clock(
        leader=lease.decode().rpartition(":")[0] if isinstance(lease, bytes) else "",
        last={n.decode(): datetime.fromisoformat(at.decode()) for n, at in last.items()}
        if isinstance(last, dict)
        else {},
        paused=frozenset(name.decode() for name in paused)
        if isinstance(paused, set)
        else frozenset(),
    )
