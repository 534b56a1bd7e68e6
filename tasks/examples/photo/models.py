"""A photo and what the check found."""

from typing import Any

from django.db import models

from tasks.examples.subject import Subject


class Photo(Subject):
    file = models.FileField(upload_to="photos/%Y/%m/")
    uploaded_name = models.CharField(max_length=255, blank=True)
    version = models.PositiveIntegerField(default=1)
    """Raised when another file takes the place of this one; a verdict counts for its version."""
    accepted = models.BooleanField(null=True, blank=True)
    """None until it is checked."""
    findings = models.JSONField(default=list, blank=True)
    """[{"check": "size", "ok": true, "text": "800 by 600 pixels"}, …]"""
    fingerprint = models.CharField(max_length=16, blank=True)
    """dHash, 64 bits in hexadecimal; empty where the file is not a picture."""

    def __str__(self) -> str:
        return self.uploaded_name or str(self.pk)

    def forget_verdict(self) -> None:
        self.accepted, self.fingerprint = None, ""
        self.findings = list[Any]()
