"""What was asked for, and how far it is."""

from typing import Any

from django.db import models

from tasks.examples.export.rows import ROWS
from tasks.examples.subject import Subject


class Export(Subject):
    class State(models.TextChoices):
        WAITING = "waiting"
        WRITING = "writing"
        DONE = "done"
        CANCELLED = "cancelled"

    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    rows = models.PositiveIntegerField(default=ROWS)
    written = models.PositiveIntegerField(default=0)
    """Rows so far."""
    file = models.CharField(max_length=255, blank=True)
    """Its name in the default storage, once it is whole."""
    size = models.PositiveBigIntegerField(default=0)
    """Bytes."""

    def __str__(self) -> str:
        return f"{self.written} of {self.rows} rows, {self.state}"

    @property
    def open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.WRITING)

    @property
    def percent(self) -> int:
        return 100 * self.written // max(1, self.rows)

    def note(self, **fields: Any) -> bool:
        """Whether it is still open, and so the fields were written down."""
        states = (self.State.WAITING, self.State.WRITING)
        return bool(Export.objects.filter(pk=self.pk, state__in=states).update(**fields))

    def cancel(self) -> bool:
        """Whether it came in time. The task sees it at its next part."""
        return self.note(state=self.State.CANCELLED)
