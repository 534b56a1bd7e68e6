"""What crosses the pipes of a trial, as JSON: the message on its way in, the outcome back."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from billiard.einfo import ExceptionInfo
from celery.exceptions import Ignore, Reject, Retry
from kombu.utils import json

from dutiful.task.arguments import ArgumentsDoNotFit

LONGEST: Final = 16_000
"""Letters of a text that goes back: an outcome fits into a pipe whose reader is busy."""
LAST: Final = b"0\n"
"""In place of a job: there will be no other."""


class TrialFailed(Exception):
    """What the task raised in its child, in words; the child has told it to the tracker."""


def job_of(request: Any, include: tuple[str, ...], parent: int) -> bytes:
    """The request as `trial_child` reads it: its length, a line break, JSON."""
    # The arguments are read from the body again, and belong to no header.
    headers = {k: v for k, v in request.request_dict.items() if k not in ("args", "kwargs")}
    body = request.body
    raw = isinstance(body, (bytes, bytearray, memoryview))
    text = json.dumps(
        {
            "task": request.type,
            "id": request.id,
            "request": headers,
            "body": b64encode(bytes(body)).decode() if raw else body,
            "raw": raw,
            "content_type": request.content_type,
            "content_encoding": request.content_encoding,
            "hostname": request.hostname,
            "include": include,
            "parent": parent,
            "final_run": request.message.final_run,
        },
        default=str,  # RabbitMQ notes times in the headers
    ).encode()
    return b"%d\n%b" % (len(text), text)


def body_of(job: dict[str, Any]) -> Any:
    """The body as it came by the broker."""
    return b64decode(job["body"]) if job["raw"] else job["body"]


def told(failed: bool, value: Any, seconds: float) -> dict[str, Any]:
    """In the child: how the run went. `value` is the result's text, or an ExceptionInfo."""
    if not failed:
        return {"kind": "success", "text": str(value)[:LONGEST], "seconds": seconds}
    error = getattr(value.exception, "exc", value.exception)
    outcome: dict[str, Any] = {
        "kind": "failure",
        "text": f"{type(error).__name__}: {error}"[:LONGEST],
        "traceback": str(value.traceback)[-LONGEST:],
        "seconds": seconds,
    }
    if isinstance(error, Retry):
        when = error.when.isoformat() if isinstance(error.when, datetime) else error.when
        return outcome | {"kind": "retry", "text": repr(error.exc)[:LONGEST], "when": when}
    if isinstance(error, Reject):
        return outcome | {"kind": "reject", "requeue": bool(getattr(error, "requeue", False))}
    if isinstance(error, Ignore):
        return outcome | {"kind": "ignore"}
    if isinstance(error, ArgumentsDoNotFit):
        return outcome | {"kind": "misfit", "text": str(error)[:LONGEST]}
    return outcome


def heard(outcome: dict[str, Any]) -> tuple[int, Any, float]:
    """In the parent: the same for the request's on_success, as a pool's child would give it."""
    kind, text, seconds = outcome["kind"], outcome["text"], outcome["seconds"]
    if kind == "success":
        return 0, text, seconds
    made: dict[str, Callable[[], Exception]] = {
        "retry": lambda: Retry(exc=TrialFailed(text), when=outcome["when"]),
        "reject": lambda: Reject(text, requeue=outcome["requeue"]),
        "ignore": lambda: Ignore(text),
        "misfit": lambda: ArgumentsDoNotFit(text),
        "failure": lambda: TrialFailed(text),
    }
    return 1, info_of(made[kind](), outcome["traceback"]), seconds


def info_of(error: BaseException, trace: str = "") -> Any:
    """Billiard's ExceptionInfo of an error, with a traceback from elsewhere."""
    try:
        raise error
    except type(error):
        info = ExceptionInfo()
    info.traceback = trace or info.traceback
    return info
