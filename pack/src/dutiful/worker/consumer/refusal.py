"""Files a message that cannot be run as a dead letter, and reports its failure."""

import logging
from typing import Any, Final

from celery import signals
from celery.exceptions import InvalidTaskError
from celery.utils.objects import Bunch

logger = logging.getLogger(__name__)
MOST_CHARACTERS: Final = 1000
"""Of the detail that is kept and logged."""


def refuse(
    consumer: Any,
    message: Any,
    reason: str,
    detail: object,
    error: Exception | None,
    signal: bool = True,
) -> None:
    """Settles the message as a dead letter and reports its failure.

    The report goes to the log, to the signal `task_rejected` unless `signal` is False, to Flower as
    an event, and to the result backend where the task stores its result.
    """
    detail = str(detail)[:MOST_CHARACTERS]
    message.dead_letter(reason, detail)
    headers = message.headers if isinstance(message.headers, dict) else {}
    task_id, name = headers.get("id"), headers.get("task")
    logger.error(f"message {task_id} ({name}) went to the dead letters: {reason}: {detail}")
    if signal:
        signals.task_rejected.send(sender=consumer, message=message, exc=error)
    if not isinstance(task_id, str):
        return
    error = error or InvalidTaskError(reason)
    if consumer.event_dispatcher:
        exception = f"{type(error).__name__}({detail!r})"
        consumer.event_dispatcher.send("task-failed", uuid=task_id, exception=exception)
    if headers.get("ignore_result"):
        return
    properties = message.properties or {}
    request = Bunch(
        name=name,
        chord=None,
        root_id=headers.get("root_id"),
        correlation_id=properties.get("correlation_id"),
        reply_to=properties.get("reply_to"),
        errbacks=None,
    )
    try:
        consumer.app.backend.mark_as_failure(task_id, error, request=request)
    except Exception:
        # The message is a dead letter; a result that cannot be stored must not stop the worker.
        logger.exception(f"the failure of {task_id} could not be stored as its result")
