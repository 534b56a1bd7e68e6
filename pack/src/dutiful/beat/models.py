"""One row for each tick, and one for the last heartbeat of each queue."""

from django.db import models


class Tick(models.Model):
    """One entry at one scheduled time. The unique constraint makes it happen once."""

    class State(models.TextChoices):
        PENDING = "pending", "to be published"
        SENT = "sent", "published"
        MISSED = "missed", "not published in time, and reported"

    entry = models.CharField(max_length=200)
    scheduled_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    skipped = models.PositiveIntegerField(
        default=0, help_text="Earlier times of this entry that passed while no beat was ticking."
    )
    fence = models.BigIntegerField(help_text="The leadership under which it was made.")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "scheduled_at"], name="dutiful_beat_tick_once")
        ]
        indexes = [
            models.Index(fields=["state", "scheduled_at"], name="dutiful_beat_tick_state"),
            models.Index(fields=["scheduled_at"], name="dutiful_beat_tick_age"),
        ]
        ordering = ["-scheduled_at", "entry"]

    def __str__(self) -> str:
        return f"{self.entry} at {self.scheduled_at:%Y-%m-%d %H:%M} UTC"


class Heartbeat(models.Model):
    """The latest heartbeat that a worker ran for a queue."""

    queue = models.CharField(max_length=100, unique=True)
    due_at = models.DateTimeField(help_text="When the schedule wanted it.")
    sent_at = models.DateTimeField(help_text="When beat published it.")
    ran_at = models.DateTimeField(help_text="When a worker ran it.")

    class Meta:
        ordering = ["queue"]

    def __str__(self) -> str:
        return self.queue
