"""Failures of tasks to Sentry, decided before an event is built.

The SDK's integration opens a broker connection and two transactions around each run, and builds an
event of each failure before anything can refuse it: a task took twice its time. Here a run has a
scope with its tags, and `task_failure`, which comes for the last try only, builds what is admitted.
"""

import sys
import time
from typing import Any, Final

import sentry_sdk
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.app import trace
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.utils import event_from_exception

from dutiful.errors import log_traces
from dutiful.errors.sentry import storm
from dutiful.errors.variables import TRIES

_OF_THE_PARENT: Final = (TimeLimitExceeded, WorkerLostError)


class Tasks(CeleryIntegration):
    """The SDK's, for beat's monitors and the trace that a message carries; runs are ours."""

    @staticmethod
    def setup_once() -> None:
        build_tracer: Any = trace.build_tracer
        CeleryIntegration.setup_once()
        trace.build_tracer = build_tracer
        signals.task_prerun.connect(_begin)
        signals.task_postrun.connect(_end)
        signals.task_failure.connect(_failed)


def _begin(task: Any, **_: Any) -> None:
    """In the thread or child that runs it. What the task says of itself ends with its run."""
    request = task.request
    request._sentry = opened = sentry_sdk.isolation_scope()
    scope = opened.__enter__()
    scope.generate_propagation_context(request.headers or {})
    scope.set_tags(_tags(task, request))


def _end(task: Any, **_: Any) -> None:
    opened = getattr(task.request, "_sentry", None)
    if opened is not None:
        opened.__exit__(None, None, None)


def _failed(sender: Any, exception: BaseException, **_: Any) -> None:
    """There too; a killed child or a hard time limit is told by the main process."""
    request = sender.request
    # What cannot be pickled comes as something else; it is being handled still.
    told = isinstance(exception, _OF_THE_PARENT)
    error = exception if told else sys.exc_info()[1] or exception
    # Celery tells a hard time limit twice, the second time without the request.
    if not request.id or (sender.throws and isinstance(error, sender.throws)):
        return
    if not storm.LIMIT.admit(log_traces.kind_of(type(error), error.__traceback__)):
        return
    event, hint = event_from_exception(
        (type(error), error, error.__traceback__),
        client_options=sentry_sdk.get_client().options,
        mechanism={"type": "celery", "handled": False},
    )
    if isinstance(error, SoftTimeLimitExceeded):  # it comes wherever the task was
        event["fingerprint"] = ["SoftTimeLimitExceeded", sender.name]
    event["tags"] = _tags(sender, request) | _of_failure(request)
    event["breadcrumbs"] = {"values": _tries(request)}
    sentry_sdk.capture_event(event, hint={**hint, storm.ADMITTED: True})


def _tags(task: Any, request: Any) -> dict[str, str]:
    queue = (request.delivery_info or {}).get("routing_key")
    found = {"task": task.name, "queue": queue, "celery_task_id": request.id}
    if not task.name.startswith("celery."):
        found["urgency"] = str(getattr(task, "urgency", None))
    return found


def _of_failure(request: Any) -> dict[str, str]:
    """The attempt, the seconds since its message was published, the idempotency key if any."""
    found = {"attempt": str((request.retries or 0) + 1)}
    fields = vars(request)
    if isinstance(sent := fields.get("enqueued_at"), int | float):
        found["age_seconds"] = str(round(time.time() - sent))
    run = fields.get("_idempotency")
    if key := run.key if run else fields.get("idempotency_key"):
        found["idempotency_key"] = str(key)
    return found


def _tries(request: Any) -> list[dict[str, Any]]:
    noted = vars(request).get("attempts")
    return [
        {"type": "error", "category": TRIES, "timestamp": at, "message": said}
        for at, _, said in (noted if isinstance(noted, list) else ())
    ]
