"""Charts as SVG paths. The text beside each says the same."""

from dataclasses import dataclass
from typing import Final

from dutiful.monitoring.status.day import STEPS, Day

HEIGHT: Final = 30
"""Height of the part above the line; below it are the marks of late starts."""


@dataclass(frozen=True)
class Chart:
    """One queue's day: paths in a box of STEPS by HEIGHT + 8, y downwards."""

    volume: str
    """Columns of starts; the largest is as high as the box."""
    late: str
    """Marks below the line, where something started late."""
    seen: str
    """The line itself, where there is history."""


def of(day: Day) -> Chart:
    most = max((step.started for step in day.steps), default=0)
    volume, late, seen = [], [], []
    for x, step in enumerate(day.steps):
        if step.minutes:
            seen.append(f"M{x} {HEIGHT}h1")
        if step.started:
            height = max(1.0, HEIGHT * step.started / most)
            volume.append(f"M{x} {HEIGHT}v-{height:.1f}h1v{height:.1f}z")
        if step.late:
            late.append(f"M{x} {HEIGHT + 3}h1.6v5h-1.6z")
    return Chart("".join(volume), "".join(late), _joined(seen))


def _joined(dashes: list[str]) -> str:
    """One stroke for a day without gaps."""
    return f"M0 {HEIGHT}h{STEPS}" if len(dashes) == STEPS else "".join(dashes)


def share(part: float | None, whole: float | None) -> float | None:
    """Percent for a bar, 0 to 100; None: no bar."""
    if part is None or not whole:
        return None
    return round(min(100.0, max(0.0, 100 * part / whole)), 1)
