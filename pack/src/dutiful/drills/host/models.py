"""A table of effects: a task that must have one effect a key adds a row here."""

from django.db import models


class Effect(models.Model):
    """One effect. Not unique: a task that runs twice leaves two rows, and a test counts them."""

    key = models.CharField(max_length=200)

    class Meta:
        app_label = "dutiful_host"

    def __str__(self) -> str:
        return self.key
