"""The channels: the log, Sentry, mail and a webhook. Each function raises its errors."""

import copy
import json
import logging
import urllib.error
import urllib.request
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from dutiful.conf import conf
from dutiful.errors.sentry import setup
from dutiful.monitoring import env, log_context
from dutiful.monitoring.alerts import text as wording
from dutiful.monitoring.alerts.alert import Alert, Severity
from dutiful.monitoring.alerts.channel import Channel
from dutiful.monitoring.alerts.state import Notice

SECONDS: Final = 5.0
"""Seconds that another server may take at each step."""
LOGGER: Final = "dutiful.monitoring.alerts"

logger = logging.getLogger(LOGGER)


class WebhookRefused(Exception):
    """The receiver answered with an error. The message names its status, never the URL."""


def configured() -> list[Channel]:
    """The log, and the channels that the environment names."""
    found = [Channel("log", to_log)]
    if setup.on():
        from sentry_sdk.integrations.logging import ignore_logger

        ignore_logger(LOGGER)  # else Sentry would get each alert twice
        found.append(Channel("sentry", to_sentry))
    if env.ALERT_EMAILS.get():
        found.append(Channel("e-mail", to_mail))
    if env.ALERT_WEBHOOK_URL.get():
        found.append(Channel("webhook", to_webhook))
    return found


def frozen(notice: Notice) -> Notice:
    """A copy for other threads, since `AlertState` goes on changing its alerts."""
    return copy.deepcopy(notice)


def to_log(notice: Notice) -> None:
    """Logs one line an alert: `alert_fired`, `alert_still` or `alert_resolved`."""
    kinds = (("fired", notice.fired), ("still", notice.repeated), ("resolved", notice.resolved))
    for kind, alerts in kinds:
        for alert in alerts:
            values = alert.as_json()
            about = {
                name: values[name] for name in ("severity", "text", "value", "promise", "since")
            }
            log_context.log(
                logger,
                "info" if kind == "resolved" else _level(alert),
                f"alert_{kind}",
                alert=alert.rule,
                subject=alert.subject,
                runbook=alert.runbook,
                **about,
            )


def to_sentry(notice: Notice) -> None:
    """Sends one event an alert, grouped by rule and subject; a resolved one needs none.

    It uses the SDK, so a tracker of your own gets it too (dutiful/errors/trackers.py).
    """
    import sentry_sdk

    for alert in (*notice.fired, *notice.repeated):
        with sentry_sdk.new_scope() as scope:
            scope.fingerprint = ["alert", alert.rule, alert.subject]
            scope.set_tags(
                {"alert": alert.rule, "subject": alert.subject, "severity": str(alert.severity)}
            )
            level: Any = "fatal" if alert.severity is Severity.CRITICAL else "warning"
            sentry_sdk.capture_message(f"{alert.key}: {alert.text} See {alert.runbook}", level)
    sentry_sdk.flush(SECONDS)


def to_mail(notice: Notice) -> None:
    """Sends one mail a notice."""
    EmailMessage(
        f"[{conf().environment}] {wording.subject(notice)}",
        wording.text(notice),
        settings.DEFAULT_FROM_EMAIL,
        env.ALERT_EMAILS.get(),
        connection=get_connection(timeout=SECONDS),
    ).send()


def to_webhook(notice: Notice) -> None:
    """Sends one POST a notice: `text` is for Slack, the lists of alerts are for programs."""
    body = {
        "text": wording.text(notice),
        "environment": conf().environment,
        "fired": [alert.as_json() for alert in notice.fired],
        "repeated": [alert.as_json() for alert in notice.repeated],
        "resolved": [alert.as_json() for alert in notice.resolved],
    }
    request = urllib.request.Request(  # noqa: S310  # http or https: see dutiful/monitoring/env.py
        env.ALERT_WEBHOOK_URL.get(),
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "User-Agent": "monitor"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        raise WebhookRefused(f"the receiver answered {error.code}") from None


def _level(alert: Alert) -> str:
    return "error" if alert.severity is Severity.CRITICAL else "warning"
