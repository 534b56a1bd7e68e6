"""One row for each message that ended for good, and one for each replay of a group."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone


class DeadLetter(models.Model):
    """One dead letter: its task, its failure, and what has been done with it since."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        REPLAYED = "replayed", "replayed, on its way"
        SUCCEEDED = "succeeded", "replayed, succeeded"
        DIED_AGAIN = "died again", "replayed, died again"
        DISCARDED = "discarded", "discarded"

    source = models.CharField(max_length=100, unique=True, editable=False)
    """Identifies the message in its broker, so that it is saved once."""
    died_at = models.DateTimeField(db_index=True)
    reason = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=16)
    """Equal for the same failure (dutiful/deadletters/fingerprint.py)."""

    task = models.CharField(max_length=255, blank=True)
    task_id = models.CharField(max_length=255, blank=True, db_index=True)
    queue = models.CharField(max_length=100, blank=True)
    args = models.TextField(blank=True)
    """JSON, as is `kwargs`; empty if the message could not be read."""
    kwargs = models.TextField(blank=True)

    exception = models.CharField(max_length=255, blank=True)
    message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    frame = models.CharField(max_length=255, blank=True)
    """The innermost line of the project's own code: file, line and function."""
    worker = models.CharField(max_length=255, blank=True)
    attempts = models.JSONField(default=list)
    """[[epoch seconds, worker, "Type: message"], …]: crashes first, the final failure last."""

    list = models.CharField(max_length=255, blank=True)
    """The full name of the Redis list that it came from."""
    raw = models.BinaryField()
    """The message as it was in the broker."""

    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    state_at = models.DateTimeField(default=timezone.now)
    note = models.TextField(blank=True)
    """Who discarded it and why, or who replayed it."""
    replays = models.PositiveIntegerField(default=0)
    replay_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="deaths"
    )
    """The dead letter whose replay ended as this one."""
    campaign = models.ForeignKey(
        "Campaign", models.SET_NULL, null=True, blank=True, related_name="dead_letters"
    )

    class Meta:
        ordering: ClassVar[Any] = ["-died_at", "-pk"]
        verbose_name = "dead letter"
        indexes: ClassVar[Any] = [
            models.Index(
                fields=["fingerprint", "state", "died_at"], name="dutiful_deadletter_group"
            ),
            models.Index(fields=["state", "died_at"], name="dutiful_deadletter_state"),
        ]

    def __str__(self) -> str:
        return f"{self.task or 'a message'}, {self.reason}"


class Group(DeadLetter):
    """Dead letters with the same fingerprint, as the admin lists them."""

    class Meta:
        proxy = True
        verbose_name = "group of dead letters"
        verbose_name_plural = "groups of dead letters"


class Campaign(models.Model):
    """A replay of a group: canaries first, then the rest at a rate, on the schedule."""

    class State(models.TextChoices):
        CANARY = "canary", "canaries are on their way"
        WAITING = "waiting", "the canaries succeeded; the rest waits for you"
        RUNNING = "running", "the rest is being replayed"
        DONE = "done", "all were replayed"
        STOPPED = "stopped", "stopped"

    fingerprint = models.CharField(max_length=16, db_index=True)
    before = models.DateTimeField(default=timezone.now)
    """Dead letters from later are not part of it: they may be the result of its replays."""
    rate = models.PositiveIntegerField(default=0)
    """Dead letters a minute for the rest; 0 if a person decides after the canaries."""
    next_at = models.DateTimeField(default=timezone.now)
    """When the next one of the rest is due."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.CANARY)
    note = models.TextField(blank=True)
    by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar[Any] = ["-pk"]
        constraints: ClassVar[Any] = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=models.Q(state__in=["canary", "waiting", "running"]),
                name="dutiful_deadletters_one_campaign",
            )
        ]

    def __str__(self) -> str:
        return f"replay {self.pk} of {self.fingerprint}: {self.state}"
