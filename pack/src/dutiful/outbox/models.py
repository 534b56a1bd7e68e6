"""The outbox's table: messages that are still to be sent, each as it will lie on the broker."""

from django.db import models
from django.utils import timezone


class OutboxMessage(models.Model):
    """One prepared message. Deleted when the broker has it."""

    class State(models.TextChoices):
        WAITING = "waiting", "to be sent"
        REFUSED = "refused", "refused by the broker"
        DROPPED = "dropped", "dropped by a person"

    task_id = models.CharField(max_length=255)
    task = models.CharField(max_length=255)
    exchange = models.CharField(max_length=255, blank=True)
    queue = models.CharField(max_length=255)
    text = models.TextField()
    """JSON in kombu's layout: body (base64), headers, properties."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    """No relay takes it before: until then it is its caller's, or another relay's."""
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    """The last error; of a dropped message, the reason that a person gave."""

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["state", "due_at"], name="dutiful_outbox_due"),)

    def __str__(self) -> str:
        return f"{self.task}[{self.task_id}]"
