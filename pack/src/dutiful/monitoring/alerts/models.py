"""Alerts in the database, and the lease of the monitor that reports them."""

from django.db import models


class AlertRecord(models.Model):
    """One alert from when it fired until it was resolved. The leading monitor writes it."""

    key = models.CharField(max_length=300)
    rule = models.CharField(max_length=50)
    subject = models.CharField(max_length=250, blank=True)
    severity = models.CharField(max_length=10)
    text = models.TextField()
    since = models.DateTimeField(help_text="When it was first found bad.")
    fired_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True, help_text="Empty: it was another alert's effect.")
    resolved_at = models.DateTimeField(null=True)
    saved_at = models.DateTimeField()
    data = models.JSONField(default=dict, help_text="The rest of it, as the monitor keeps it.")

    class Meta:
        app_label = "dutiful_monitoring"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "fired_at"], name="dutiful_monitoring_alert_once"
            )
        ]
        indexes = [models.Index(fields=["resolved_at"], name="dutiful_monitoring_alert_over")]
        ordering = ["-fired_at"]
        verbose_name = "alert"

    def __str__(self) -> str:
        return self.key


class MonitorLease(models.Model):
    """Which monitor leads while the broker cannot be asked. There is one row."""

    owner = models.CharField(max_length=200, blank=True)
    turn = models.BigIntegerField(default=0, help_text="Moves on with each renewal.")

    class Meta:
        app_label = "dutiful_monitoring"

    def __str__(self) -> str:
        return self.owner or "nobody"
