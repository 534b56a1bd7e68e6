"""Which worker was killed, and what it held."""

from datetime import timedelta
from typing import Final

from django.db import models
from django.utils import timezone

from tasks.examples.runs.models import Run
from tasks.examples.subject import Subject

UNDER_WAY: Final = timedelta(seconds=30)
"""For so long a press waits for the one before it."""


class Kill(Subject):
    """One press of the button. Its tasks' runs have its key as their subject."""

    owner = models.CharField(max_length=64, blank=True)
    """The worker's lease: `dutiful:owner:<owner>` in Redis."""
    worker = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    held = models.JSONField(default=list)
    """Task ids: what of the examples it was running when it was killed."""
    killed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.worker or 'nobody'}, {len(self.held)} tasks"

    def runs(self) -> list[Run]:
        """Those of the tasks that it held, in the order in which they first started."""
        found = Run.objects.in_bulk(self.held)
        return [found[task_id] for task_id in self.held if task_id in found]

    @property
    def over(self) -> bool:
        """Whether all that it held has run again."""
        return bool(self.killed_at) and all(run.finished for run in self.runs())

    @classmethod
    def under_way(cls) -> "Kill | None":
        """The one whose tasks have not all run again. An old one counts no more."""
        last = cls.objects.filter(created_at__gt=timezone.now() - UNDER_WAY).first()
        return last if last and not last.over else None
