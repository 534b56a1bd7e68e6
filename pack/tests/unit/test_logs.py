"""The log in development, and in production, where every line is JSON."""

import io
import json
import logging
from logging.config import dictConfig
from typing import Any

from django.conf import settings as django_settings

from dutiful.errors.logs import configuration as logs
from dutiful.errors.logs import lines


def said(environment: str) -> str:
    configured: dict[str, Any] = logs.settings(environment, "INFO")
    stream = io.StringIO()
    configured["handlers"]["stderr"]["stream"] = stream
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        dictConfig(configured)
        logger = logging.getLogger("beat.test")
        logger.info("Sending due task heartbeat-urgent_fast")
        logger.warning("heartbeat of urgent_fast is late")
        logger.info("sent a mail")
        lines.flush()
    finally:
        root.handlers, root.level = before, level
        dictConfig(django_settings.LOGGING)
    return stream.getvalue()


def test_a_developer_is_spared_heartbeats_but_not_their_trouble() -> None:
    lines = said("development")
    assert "Sending due task" not in lines
    assert "heartbeat of urgent_fast is late" in lines
    assert "sent a mail" in lines


def test_production_has_every_line_as_json() -> None:
    lines = [json.loads(line) for line in said("production").splitlines()]
    assert [line["event"] for line in lines] == [
        "Sending due task heartbeat-urgent_fast",
        "heartbeat of urgent_fast is late",
        "sent a mail",
    ]
    assert lines[1]["level"] == "warning"
