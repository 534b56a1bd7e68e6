"""A table of effects, to which tests add a row for each effect of a task."""

from django.db import models


class Effect(models.Model):
    """One effect. Its key is not unique, so that a task that runs twice leaves two rows."""

    key = models.CharField(max_length=200)

    class Meta:
        app_label = "dutiful_host"

    def __str__(self) -> str:
        return self.key
