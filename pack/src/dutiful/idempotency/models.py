"""One row for each idempotency key, and one for each call of a unique task."""

from django.db import models


class Key(models.Model):
    """One idempotency key. Without a row, no run holds the key and none has finished it."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"

    key = models.CharField(max_length=255, primary_key=True)
    task = models.CharField(max_length=255)
    task_id = models.CharField(max_length=255)
    """The message that holds the key, or that finished its work."""
    fingerprint = models.CharField(max_length=32)
    """A digest of the arguments."""
    state = models.CharField(max_length=8, choices=State.choices)
    fence = models.BigIntegerField()
    """Grows each time the key is taken, also after a deleted row."""
    taken_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    """From then on another message may take the key."""
    done_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)
    """From then on the key counts as absent, and is purged."""
    result = models.TextField(null=True)  # noqa: DJ001  # null: none was stored
    """JSON."""

    class Meta:
        verbose_name = "idempotency key"

    def __str__(self) -> str:
        return self.key


class UniqueCall(models.Model):
    """A call of a `UniqueTask` that waits or runs. The row is deleted when it ends or expires."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"

    key = models.CharField(max_length=255, primary_key=True)
    task = models.CharField(max_length=255)
    task_id = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State.choices)
    again = models.BooleanField(default=False)
    """Whether a duplicate was dropped while it ran, so that it is to run once more."""
    dropped = models.PositiveIntegerField(default=0)
    """The number of duplicates that were not sent."""
    called_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    """From then on duplicates are sent again."""

    class Meta:
        verbose_name = "unique call"

    def __str__(self) -> str:
        return self.key
