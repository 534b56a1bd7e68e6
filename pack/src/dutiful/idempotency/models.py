"""What is known of each key, and of each call that others need not repeat."""

from django.db import models


class Key(models.Model):
    """One key. No row: nobody runs it, and nobody has finished it."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"

    key = models.CharField(max_length=255, primary_key=True)
    task = models.CharField(max_length=255)
    task_id = models.CharField(max_length=255)
    """Of the message that holds it, or that finished it."""
    fingerprint = models.CharField(max_length=32)
    """Of the arguments."""
    state = models.CharField(max_length=8, choices=State.choices)
    fence = models.BigIntegerField()
    """Grows with each claim, also over a deleted row: whoever holds a lower one is too late."""
    taken_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    """From then on another message may take the key over."""
    done_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)
    """From then on the key is as good as unknown, and is purged."""
    result = models.TextField(null=True)  # noqa: DJ001  # null: none was stored
    """JSON."""

    class Meta:
        verbose_name = "idempotency key"

    def __str__(self) -> str:
        return self.key


class UniqueCall(models.Model):
    """A call of a `UniqueTask` that waits or runs. It is dropped when it ends, or expires."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"

    key = models.CharField(max_length=255, primary_key=True)
    task = models.CharField(max_length=255)
    task_id = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State.choices)
    again = models.BooleanField(default=False)
    """It was asked for while it ran: it is to run once more."""
    dropped = models.PositiveIntegerField(default=0)
    """Duplicates that were not sent."""
    called_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    """From then on duplicates are sent again, whatever became of this one."""

    class Meta:
        verbose_name = "unique call"

    def __str__(self) -> str:
        return self.key
