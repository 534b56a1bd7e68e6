"""Checks what a task returned, before the result is stored and the next step of a chain is sent.

Celery would notice a bad result only while it sends the next step, and only log it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from celery.app.trace import get_actual_ignore_result  # type: ignore[attr-defined]
from django.conf import settings
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps

from dutiful.publishing import message
from dutiful.task.retries import PermanentError

LIMIT: Final = 64 * 1024
"""Bytes of a stored result, as JSON. The Django setting RESULT_LIMIT_BYTES overrides it."""


class ResultRefused(PermanentError):
    """The task has done its work, but its result cannot be stored or passed to the next step.

    It is a failure, so that the caller's `get()` raises it and a dead letter shows it; a result
    that is silently missing would go unnoticed. It is not retried, since the work is done.
    """

    reason = "result refused"


def checked(task: Any, result: Any) -> Any:
    """Returns the result. Raises ResultRefused if it must be stored or passed on, and cannot."""
    if result is None:
        return None
    request = task.request
    if not get_actual_ignore_result(task, request) or request.chord:
        limit = getattr(settings, "RESULT_LIMIT_BYTES", LIMIT)
        try:
            size = len(dumps(result).encode())
        except (TypeError, ValueError, EncodeError) as error:
            raise ResultRefused(f"{_of(task, result)} is not JSON: {error}. {_FIX}") from None
        if size > limit:
            raise ResultRefused(
                f"{_of(task, result)} is {size} bytes of JSON, the limit is {limit}. {_FIX}"
            )
    for step in _next(request):
        args = (result, *(step.get("args") or ()))
        queue = (step.get("options") or {}).get("queue")
        following = task.app.tasks.get(step["task"])
        try:
            message.check(step["task"], args, step.get("kwargs") or {}, following, queue)
        except message.PayloadError as error:
            text = f"{_of(task, result)} cannot be handed on: {error}"
            raise ResultRefused(f"{text} {_FIX}") from None
    return result


_FIX: Final = "The work is done: save the data, return its primary key; a replay runs it again."


def _of(task: Any, result: Any) -> str:
    return f"{task.name}: its result ({type(result).__name__})"


def _next(request: Any) -> Iterator[Mapping[str, Any]]:
    """The signatures that receive the result: links, and the next step of a chain."""
    for step in (*(request.callbacks or ()), *(request.chain or ())[-1:]):
        if not step.get("immutable") and not step.get("subtask_type"):
            yield step
