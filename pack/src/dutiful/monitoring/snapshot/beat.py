"""Beat: who leads, and what became of each entry's last time. Empty where it is not installed."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps

from dutiful.monitoring.snapshot.facts import Beat, Clock

if TYPE_CHECKING:
    from dutiful.monitoring.snapshot.schedule import Rows


def installed() -> bool:
    return apps.is_installed("dutiful.beat")


def ask(pipe: Any, prefix: str) -> None:
    """Adds three commands to a pipeline of the Redis that beats share; none without beat."""
    if not installed():
        return
    from dutiful.beat.shared import LAST_KEY, LEASE_KEY, PAUSED_KEY

    pipe.get(f"{prefix}{LEASE_KEY}")
    pipe.hgetall(f"{prefix}{LAST_KEY}")
    pipe.smembers(f"{prefix}{PAUSED_KEY}")


def clock(lease: Any = None, last: Any = None, paused: Any = None) -> Clock:
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


def rows() -> "Rows | None":
    """Five queries, whatever the number of entries and ticks. Raises django.db.Error."""
    if not installed():
        return None
    from dutiful.monitoring.snapshot import schedule

    return schedule.rows()


def read(clock: Clock, rows: "Rows | None", why: str) -> Beat:
    """`rows` is None where the database did not answer, and `why` says so."""
    if not installed():
        return Beat(installed=False)
    from dutiful.monitoring.snapshot import schedule

    return schedule.read(clock, rows, why)
