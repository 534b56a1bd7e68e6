"""Sends a task's message again after a pause. This is no retry: nothing has failed."""

from typing import Any

from celery.exceptions import Retry

from dutiful.task import attempts


def postpone(task: Any, wait: float, why: str, **headers: Any) -> Retry:
    """Sends the message with more headers after `wait` seconds. The caller raises the result."""
    request = task.request
    request._error = None
    signature = task.signature_from_request(request, countdown=wait, retries=request.retries)
    carried, before = signature.options["headers"], request.get(attempts.HEADER)
    carried.update(headers)
    if before is None:
        carried.pop(attempts.HEADER, None)
    else:
        carried[attempts.HEADER] = before
    signature.apply_async()
    seconds: Any = wait  # celery-types knows no float here
    return Retry(why, when=seconds, sig=signature)
