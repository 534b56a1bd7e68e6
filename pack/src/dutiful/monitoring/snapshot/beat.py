"""The part `beat`: who leads, and each entry's last time. Empty where beat is not installed."""

from typing import TYPE_CHECKING

from dutiful.monitoring.snapshot.clock import Clock, installed
from dutiful.monitoring.snapshot.facts import Beat

if TYPE_CHECKING:
    from dutiful.monitoring.snapshot.schedule import Rows


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
