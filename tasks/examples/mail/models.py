"""Who signed up."""

from django.db import models

from tasks.examples.subject import Subject


class Signup(Subject):
    """Inactive until the link in the mail is used."""

    email = models.EmailField(unique=True)
    """Lower case."""
    mailed_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    """When the mail server said that there is no such mailbox."""
    confirmed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email
