"""Monitoring's environment variables, declared as those of `dutiful/env.py` are."""

import os
from typing import Final

from dutiful.env import ENVIRONMENT
from dutiful.variables import EnvError, Var, flag, number, text, url, words

__all__ = [
    "ALERT_EMAILS",
    "ALERT_WEBHOOK_URL",
    "DEAD_MAN_URL",
    "HEALTHZ_NAMES",
    "METRICS_LISTEN",
    "METRICS_TOKEN",
    "MONITOR_SECONDS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "RUNBOOK_URL",
    "STATUS_PUBLIC",
    "VARIABLES",
    "EnvError",
]

ALERT_EMAILS = Var(
    "ALERT_EMAILS", words, "", "Addresses that get alerts by mail, separated by commas."
)
ALERT_WEBHOOK_URL = Var(
    "ALERT_WEBHOOK_URL",
    url("http", "https"),
    "",
    "Alerts are posted here as JSON; a Slack webhook shows their `text`.",
    True,
)
DEAD_MAN_URL = Var(
    "DEAD_MAN_URL",
    url("http", "https"),
    "",
    "An outside dead-man's switch, pinged by the monitor as healthchecks.io has it.",
    True,
)
MONITOR_SECONDS = Var(
    "MONITOR_SECONDS", number, "5", "Seconds between two passes of the monitor, 1 to 10."
)
HEALTHZ_NAMES = Var(
    "HEALTHZ_NAMES",
    flag,
    "0" if os.environ.get("ENVIRONMENT", ENVIRONMENT.default) == "production" else "1",
    "Whether /healthz/ shows queues, figures and reasons to everybody.",
    shown="0 in production, else 1",
)
RUNBOOK_URL = Var(
    "RUNBOOK_URL",
    text,
    "docs/runbook.md",
    "The address of the runbook, which alerts link to.",
)
METRICS_TOKEN = Var(
    "METRICS_TOKEN", text, "", "The bearer token that may read /metrics. Empty: staff only.", True
)
METRICS_LISTEN = Var(
    "METRICS_LISTEN",
    text,
    "",
    "host:port where each worker serves metrics of its own. Empty: nowhere.",
)
STATUS_PUBLIC = Var(
    "STATUS_PUBLIC",
    flag,
    "0",
    "Whether everybody may read /status/, without names of machines, errors and commands.",
)
OTEL_EXPORTER_OTLP_ENDPOINT = Var(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    url("http", "https"),
    "",
    "Where traces go (`python -m dutiful docs traces`). Empty: nothing is traced.",
)
VARIABLES: Final = (
    STATUS_PUBLIC,
    ALERT_EMAILS,
    ALERT_WEBHOOK_URL,
    DEAD_MAN_URL,
    MONITOR_SECONDS,
    HEALTHZ_NAMES,
    RUNBOOK_URL,
    METRICS_TOKEN,
    METRICS_LISTEN,
    OTEL_EXPORTER_OTLP_ENDPOINT,
)
