"""Alerts in the admin, read-only."""

from django.contrib import admin

from dutiful.database.read_only import ReadOnly
from dutiful.monitoring.alerts.models import AlertRecord


@admin.register(AlertRecord)
class AlertAdmin(ReadOnly):
    """Alerts that fire now, and those of the last 90 days."""

    list_display = ("rule", "subject", "severity", "since", "resolved_at", "text")
    list_filter = ("rule", "severity", ("resolved_at", admin.EmptyFieldListFilter))
    date_hierarchy = "fired_at"
