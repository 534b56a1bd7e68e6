"""Reports failures of tasks to Sentry, and decides before it builds an event.

The SDK's integration opens a broker connection and two transactions around each run, and builds an
event of each failure before it can be dropped, so a task took twice its time. Here a run has a
scope with its tags, and `task_failure`, which is sent for the last attempt only, builds an event.
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

from dutiful.errors.logs import tracebacks
from dutiful.errors.sentry import storm
from dutiful.errors.variables import TRIES

_OF_THE_PARENT: Final = (TimeLimitExceeded, WorkerLostError)


class Tasks(CeleryIntegration):
    """The SDK's integration for beat's monitors and for traces in messages, without its tracing."""

    @staticmethod
    def setup_once() -> None:
        build_tracer: Any = trace.build_tracer
        CeleryIntegration.setup_once()
        trace.build_tracer = build_tracer
        signals.task_prerun.connect(_begin)
        signals.task_postrun.connect(_end)
        signals.task_failure.connect(_failed)


def _begin(task: Any, **_: Any) -> None:
    """Opens a scope in the thread or child that runs the task; it ends with the run."""
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
    """Called there too; for a killed child or a hard time limit in the main process."""
    request = sender.request
    # The signal has a substitute for an exception that cannot be pickled.
    of_parent = isinstance(exception, _OF_THE_PARENT)
    error = exception if of_parent else sys.exc_info()[1] or exception
    # Celery sends the signal twice for a hard time limit, the second time without the request.
    if not request.id or (sender.throws and isinstance(error, sender.throws)):
        return
    if not storm.LIMIT.admit(tracebacks.kind_of(type(error), error.__traceback__)):
        return
    event, hint = event_from_exception(
        (type(error), error, error.__traceback__),
        client_options=sentry_sdk.get_client().options,
        mechanism={"type": "celery", "handled": False},
    )
    if isinstance(error, SoftTimeLimitExceeded):  # it is raised anywhere in the task
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
    """Tags: the attempt, the seconds since the publish, the idempotency key if there is one."""
    found = {"attempt": str((request.retries or 0) + 1)}
    fields = vars(request)
    if isinstance(sent := fields.get("enqueued_at"), int | float):
        found["age_seconds"] = str(round(time.time() - sent))
    run = fields.get("_idempotency")
    if key := run.key if run else fields.get("idempotency_key"):
        found["idempotency_key"] = str(key)
    return found


def _tries(request: Any) -> list[dict[str, Any]]:
    attempts = vars(request).get("attempts")
    return [
        {"type": "error", "category": TRIES, "timestamp": at, "message": text}
        for at, _, text in (attempts if isinstance(attempts, list) else ())
    ]
