"""A request's id reaches the log lines of the tasks that it sent.

django-structlog puts the context into the message's headers. Its receivers in the worker say a line
at each step too, which dutiful/monitoring/runs.py says in one; here is only what they bind.
"""

import logging
from typing import Any, Final

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

_NUMBERS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
HEADER: Final = "__django_structlog__"


def bind(request: Any, task_id: str) -> None:
    """In the thread or child that runs the task, before anything is logged."""
    clear_contextvars()
    context = getattr(request, HEADER, None)
    if isinstance(context, dict):
        bind_contextvars(**{**context, "task_id": task_id})
    else:
        bind_contextvars(task_id=task_id)


def log(logger: logging.Logger, level: str, event: str, **fields: Any) -> None:
    """One structured line through the project's handlers, as structlog would make it.

    Directly: structlog's way takes twice as long, and this line is said for each task.
    """
    number = _NUMBERS[level]
    if not logger.isEnabledFor(number):
        return
    said = {**get_contextvars(), **fields, "event": event, "logger": logger.name, "level": level}
    record = logging.LogRecord(logger.name, number, "", 0, said, (), None)
    record.__dict__.update(
        _logger=logger, _name=level
    )  # what structlog's formatter knows its own by
    logger.handle(record)
