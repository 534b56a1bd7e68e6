"""A notice as text: one line for a phone, then the details and what to do."""

from datetime import UTC, datetime

from dutiful.monitoring.alerts.alert import Alert, Severity
from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.alerts.state import Notice

MOST = 20
"""Alerts that one text has in full; it counts the rest."""


def subject(notice: Notice) -> str:
    """One line: `CRITICAL queue-late urgent_fast (and 2 more)`."""
    alerts = [*notice.fired, *notice.repeated] or notice.resolved
    worst = min(alerts, key=lambda alert: alert.severity is not Severity.CRITICAL)
    kind = str(worst.severity).upper() if worst.resolved_at is None else "RESOLVED"
    again = " still" if notice.repeated and not notice.fired else ""
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return f"{kind}{again} {worst.key.replace(':', ' ')}{more}"


def text(notice: Notice) -> str:
    """Plain text; Slack and mail show it as it is."""
    shown = [*((a, "") for a in notice.fired), *((a, "still, ") for a in notice.repeated)]
    parts = [_bad(alert, prefix) for alert, prefix in shown]
    parts += [_over(alert) for alert in notice.resolved]
    if len(parts) > MOST:
        parts[MOST:] = [f"… and {len(parts) - MOST} more."]
    return "\n\n".join([subject(notice), *parts])


def _bad(alert: Alert, prefix: str) -> str:
    since = datetime.fromtimestamp(alert.since, UTC)
    lines = [
        f"[{prefix}{alert.severity}] {alert.title}",
        alert.text,
        f"Since {since:%Y-%m-%d %H:%M:%S} UTC. What to do: {alert.runbook}",
        *(f"  {command}" for command in alert.advice),
    ]
    return "\n".join(line for line in lines if line)


def _over(alert: Alert) -> str:
    lasted = span(max(0.0, (alert.resolved_at or alert.since) - alert.since))
    return f"[resolved] {alert.key.replace(':', ' ')}: {alert.title}. It lasted {lasted}."
