"""The context of a request (its id) in the log lines of the tasks that it sent.

django-structlog puts the context into the message's headers. Its receivers in the worker also log a
line at each step; this module only binds the context, and `runs` logs one line a run.
"""

import logging
from typing import Any, Final

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

_NUMBERS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
HEADER: Final = "__django_structlog__"


def bind(request: Any, task_id: str) -> None:
    """Binds the request's context in the thread or child that runs the task."""
    clear_contextvars()
    context = getattr(request, HEADER, None)
    if isinstance(context, dict):
        bind_contextvars(**{**context, "task_id": task_id})
    else:
        bind_contextvars(task_id=task_id)


def log(logger: logging.Logger, level: str, event: str, **fields: Any) -> None:
    """Logs one structured line through the project's handlers, as structlog would.

    It calls the handlers directly, which takes half as long; this runs once for each task.
    """
    number = _NUMBERS[level]
    if not logger.isEnabledFor(number):
        return
    fields = {**get_contextvars(), **fields, "event": event, "logger": logger.name, "level": level}
    record = logging.LogRecord(logger.name, number, "", 0, fields, (), None)
    record.__dict__.update(
        _logger=logger, _name=level
    )  # marks that structlog's formatter looks for
    logger.handle(record)
