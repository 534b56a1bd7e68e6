"""Of many equal tracebacks a few are written, and every failure keeps its line."""

import io
import json
import logging
from collections.abc import Iterator
from logging.config import dictConfig
from typing import Any

import pytest
from celery.app.trace import logger as celerys
from django.conf import settings as django_settings

from dutiful.errors.logs import configuration as logs
from dutiful.errors.logs import tracebacks
from dutiful.errors.logs.lines import flush


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log as in production."""
    configured: dict[str, Any] = logs.settings("production", "INFO")
    configured["handlers"]["stderr"]["stream"] = stream = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    tracebacks.LIMIT.close()
    try:
        dictConfig(configured)
        yield stream
    finally:
        tracebacks.LIMIT.close()
        root.handlers, root.level = before, level
        dictConfig(django_settings.LOGGING)


def fail(number: int) -> None:
    try:
        raise ConnectionError(f"order {number}")
    except ConnectionError as error:
        if number % 2:
            logging.getLogger("shop").exception("order %d failed", number)
        else:
            logging.getLogger("shop").error("order %d failed", number, exc_info=error)


def test_the_first_have_their_tracebacks_and_all_have_their_lines(lines: io.StringIO) -> None:
    for number in range(100):
        fail(number)
    try:
        raise ValueError("another")
    except ValueError:
        logging.getLogger("shop").exception("another")
    flush()
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["event"] for line in said[:100]] == [f"order {n} failed" for n in range(100)]
    assert sum("exception" in line for line in said) == tracebacks.EACH + 1
    assert {line.get("traceback") for line in said[tracebacks.EACH : 100]} == {"as many others"}
    assert said[0]["exception"].endswith("ConnectionError: order 0")
    tracebacks.LIMIT.close()
    flush()
    told = json.loads(lines.getvalue().splitlines()[-1])
    assert told["event"].startswith("90 more tracebacks were left out in 60 s: ConnectionError ")


def test_celerys_own_text_is_taken_as_it_is(lines: io.StringIO) -> None:
    try:
        raise ConnectionError("order 1")
    except ConnectionError as error:
        info = (type(error), error, error.__traceback__)
    celerys.error("failed", exc_info=info, extra={"data": {"traceback": "written before\n"}})
    assert json.loads(lines.getvalue())["exception"] == "written before"
