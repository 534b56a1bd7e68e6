"""What the rows that the jobs work on have in common."""

import uuid

from django.db import models


class Subject(models.Model):
    """A row that a job is about. Its key is its secret: who knows it may see the row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        abstract = True
