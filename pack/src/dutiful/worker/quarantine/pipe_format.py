"""What passes between a worker and the child of an isolated run, as JSON.

A job goes to the child: its length in bytes, a line break, one object. Reports come back, one a
line: `{"began": true, "memory": bytes}` when the task begins, then its outcome.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from billiard.einfo import ExceptionInfo
from celery.exceptions import Ignore, Reject, Retry
from kombu.utils import json

from dutiful.task.arguments import ArgumentsDoNotFit

MOST_CHARACTERS: Final = 16_000
"""Of a text in an outcome, so that it fits into a pipe whose reader is busy."""
NO_MORE_JOBS: Final = b"0\n"
"""Ends the child, in place of a job."""


class IsolatedRunFailed(Exception):
    """What the task raised in its child, as text; the child has sent it to the error tracker."""


def encode_job(request: Any, include: tuple[str, ...], parent: int) -> bytes:
    """Returns the request as `child` reads it. `parent` is the pid of the worker."""
    # The arguments are decoded from the body again and belong to no header.
    headers = {k: v for k, v in request.request_dict.items() if k not in ("args", "kwargs")}
    body = request.body
    binary = isinstance(body, (bytes, bytearray, memoryview))
    text = json.dumps(
        {
            "task": request.type,
            "id": request.id,
            "request": headers,
            "body": b64encode(bytes(body)).decode() if binary else body,
            "binary": binary,
            "content_type": request.content_type,
            "content_encoding": request.content_encoding,
            "hostname": request.hostname,
            "include": include,
            "parent": parent,
            "exclusive": request.message.final_run,
        },
        default=str,  # RabbitMQ puts times into the headers
    ).encode()
    return b"%d\n%b" % (len(text), text)


def decode_body(job: dict[str, Any]) -> Any:
    """Returns the message's body as the broker delivered it: bytes or a string."""
    return b64decode(job["body"]) if job["binary"] else job["body"]


def encode_outcome(failed: bool, value: Any, seconds: float) -> dict[str, Any]:
    """Returns how the run ended. `value` is the result's text, or an ExceptionInfo if it failed."""
    if not failed:
        return {"kind": "success", "text": str(value)[:MOST_CHARACTERS], "seconds": seconds}
    error = getattr(value.exception, "exc", value.exception)
    outcome: dict[str, Any] = {
        "kind": "failure",
        "text": f"{type(error).__name__}: {error}"[:MOST_CHARACTERS],
        "traceback": str(value.traceback)[-MOST_CHARACTERS:],
        "seconds": seconds,
    }
    if isinstance(error, Retry):
        when = error.when.isoformat() if isinstance(error.when, datetime) else error.when
        cause = repr(error.exc)[:MOST_CHARACTERS]
        return outcome | {"kind": "retry", "text": cause, "when": when}
    if isinstance(error, Reject):
        return outcome | {"kind": "reject", "requeue": bool(getattr(error, "requeue", False))}
    if isinstance(error, Ignore):
        return outcome | {"kind": "ignore"}
    if isinstance(error, ArgumentsDoNotFit):
        return outcome | {"kind": "misfit", "text": str(error)[:MOST_CHARACTERS]}
    return outcome


def decode_outcome(outcome: dict[str, Any]) -> tuple[int, Any, float]:
    """Returns (failed, result or ExceptionInfo, seconds), as the request's on_success takes it."""
    kind, text, seconds = outcome["kind"], outcome["text"], outcome["seconds"]
    if kind == "success":
        return 0, text, seconds
    errors: dict[str, Callable[[], Exception]] = {
        "retry": lambda: Retry(exc=IsolatedRunFailed(text), when=outcome["when"]),
        "reject": lambda: Reject(text, requeue=outcome["requeue"]),
        "ignore": lambda: Ignore(text),
        "misfit": lambda: ArgumentsDoNotFit(text),
        "failure": lambda: IsolatedRunFailed(text),
    }
    return 1, exception_info(errors[kind](), outcome["traceback"]), seconds


def exception_info(error: BaseException, trace: str = "") -> Any:
    """Returns billiard's ExceptionInfo of an error, with the traceback of another process."""
    try:
        raise error
    except type(error):
        info = ExceptionInfo()
    info.traceback = trace or info.traceback
    return info
