"""One row for each task that the examples sent."""

from datetime import datetime

from django.db import models
from django.utils import timezone


class Run(models.Model):
    """A task on its way. Written by `record`, which only observes: no task reads it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    task_id = models.CharField(max_length=255, primary_key=True)
    name = models.CharField(max_length=255)
    subject = models.CharField(max_length=64, blank=True)
    """The task's first argument: the primary key of the row that it is about."""
    queue = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    """0 is the first try."""
    queued_at = models.DateTimeField()
    """When it could start: sent, or for a retry the end of its wait."""
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=255, blank=True)
    result = models.CharField(max_length=255, blank=True)
    error = models.CharField(max_length=500, blank=True)
    """The last one; it stays when a later try succeeds."""

    class Meta:
        ordering = ["-queued_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    @property
    def finished(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)

    @property
    def between_tries(self) -> bool:
        return self.state == self.State.QUEUED and self.queued_at > timezone.now()

    @property
    def phase(self) -> str:
        """The state in one word for the page: as `state`, and "retry" between two tries."""
        return "retry" if self.between_tries else self.state

    @property
    def next_try_in(self) -> float:
        """Seconds."""
        return _seconds(timezone.now(), self.queued_at)

    @property
    def waited(self) -> float:
        """Seconds in the queue, so far if it is still there."""
        return _seconds(self.queued_at, self.started_at or timezone.now())

    @property
    def ran(self) -> float | None:
        """Seconds of the last try, so far if it still runs. None before it started."""
        if self.started_at is None:
            return None
        return _seconds(self.started_at, self.finished_at or timezone.now())

    @property
    def tries(self) -> int:
        return self.attempt + 1


def _seconds(start: datetime, end: datetime) -> float:
    # Two machines' clocks may differ by a little.
    return max(0.0, (end - start).total_seconds())
