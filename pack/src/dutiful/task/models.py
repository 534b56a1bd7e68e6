"""Rows of tasks: dispatch tokens, and the saved places of loops."""

from django.db import models
from django.utils import timezone


class DispatchToken(models.Model):
    """The message that may do work that was sent more than once (dutiful/task/dispatch.py)."""

    key = models.CharField(max_length=255, unique=True)
    holder = models.CharField(max_length=64)
    taken_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key


class Cursor(models.Model):
    """The place of a task's loop (dutiful/task/iterate.py). Deleted when the task has succeeded."""

    task_id = models.CharField(max_length=255)
    name = models.CharField(max_length=64, blank=True)
    """The name of the loop, if a task has several."""
    place = models.JSONField(null=True)
    """The place of the last finished row; None before the first."""
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    holder = models.CharField(max_length=32, blank=True)
    """The run that may save its place: the latest one."""
    saved_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task_id", "name"], name="one_cursor_a_loop")
        ]

    def __str__(self) -> str:
        return f"{self.done:,} rows" if self.total is None else f"{self.done:,} of {self.total:,}"

    @property
    def percent(self) -> int:
        """0 to 100; 0 if the total is not known."""
        return min(100, 100 * self.done // self.total) if self.total else 0
