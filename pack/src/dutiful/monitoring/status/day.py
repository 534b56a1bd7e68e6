"""A queue's last day, in steps of ten minutes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.db.models import CharField, Count, Sum
from django.db.models.functions import Cast, Substr

from dutiful.monitoring.models import QueueSample

STEP: Final = 600
"""Seconds."""
STEPS: Final = 24 * 3600 // STEP
HOUR_STEPS: Final = 3600 // STEP


@dataclass
class Step:
    """Counts of ten minutes, of which `minutes` have history."""

    minutes: int = 0
    started: int = 0
    runs: int = 0
    late: int = 0
    failed: int = 0


@dataclass
class Day:
    """The oldest step first; the last one is not over."""

    steps: list[Step] = field(default_factory=lambda: [Step() for _ in range(STEPS)])

    def total(self, name: str, steps: int = STEPS) -> int:
        """The sum of a count over the last steps."""
        return sum(getattr(step, name) for step in self.steps[-steps:])


def read() -> dict[str, Day]:
    """By queue, summed up by the database, in UTC. Raises django.db.Error."""
    now = datetime.now(UTC)
    newest = int(now.timestamp()) // STEP
    since = datetime.fromtimestamp((newest - STEPS + 1) * STEP, UTC)
    rows = QueueSample.objects.filter(span=60, at__gte=since, at__lte=now).order_by()
    steps = rows.annotate(step=Substr(Cast("at", CharField()), 1, 15)).values("queue", "step")
    sums = steps.annotate(
        **{name: Sum(name) for name in ("started", "runs", "late")},
        minutes=Count("pk"),
        failed=Sum("failed") + Sum("crashed"),
    )
    found: dict[str, Day] = {}
    for row in sums:
        queue, step = row.pop("queue"), row.pop("step")
        at = datetime.fromisoformat(f"{step}0:00+00:00")  # "2026-11-23 17:3": ten minutes
        index = STEPS - 1 - (newest - int(at.timestamp()) // STEP)
        if 0 <= index < STEPS:
            found.setdefault(queue, Day()).steps[index] = Step(**row)
    return found
