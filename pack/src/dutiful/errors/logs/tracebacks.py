"""Writes only the first few of many equal tracebacks to the log.

A traceback takes a millisecond to write and thirty lines to read. Each failure keeps its line, and
each dead letter its traceback.
"""

import logging
import sys
from types import TracebackType
from typing import Any, Final

from dutiful.errors.storms import WINDOW, Kind, Limit

logger = logging.getLogger(__name__)
EACH: Final = 10
"""Tracebacks of one kind in a window."""
ALL: Final = 200
"""Tracebacks of all kinds in a window."""


def kind_of(error: type[BaseException] | None, trace: TracebackType | None) -> Kind:
    """The exception's type and where it was raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = getattr(error, "__qualname__", "")
    if trace is None:
        return (name,)
    code = trace.tb_frame.f_code
    return (name, code.co_filename, code.co_name, str(trace.tb_lineno))


def shorten(_: Any, __: str, event: Any) -> Any:
    """A structlog processor that precedes the one for tracebacks."""
    info = event.get("exc_info")
    if not info:
        return event
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    error, _value, trace = info if isinstance(info, tuple) else sys.exc_info()
    if not LIMIT.admit(kind_of(error, trace)):
        del event["exc_info"]
        event["traceback"] = "as many others"
        return event
    # Celery has formatted it already.
    written = getattr(event["_record"], "data", None)
    if isinstance(written, dict) and isinstance(text := written.get("traceback"), str):
        del event["exc_info"]
        event["exception"] = text.rstrip()
    return event


def _report(kind: Kind, count: int) -> None:
    logger.warning(
        f"{count} more tracebacks were left out in {WINDOW:g} s: {' '.join(kind)}",
        extra={"left_out": count},
    )


LIMIT: Final = Limit(EACH, ALL, _report)
