"""What the tasks' machinery keeps in the database."""

from django.db import models
from django.utils import timezone


class Claim(models.Model):
    """Which message may do a piece of work that was sent more than once (`tasks/claims.py`)."""

    key = models.CharField(max_length=255, unique=True)
    holder = models.CharField(max_length=64)
    claimed_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key
