"""One log line for each run of a task: `task_run`, with how long it waited and how long it ran.

`wait_seconds` counts from the publish, or from the eta where that is later. A run whose process
was killed is told by the worker's main process, with `run_seconds` null.
"""

import time
from datetime import datetime
from typing import Any, Final

import structlog
from celery import signals, states
from celery.exceptions import Retry
from celery.utils.time import maybe_iso8601

LOGGER: Final = "monitoring.runs"
LONGEST: Final = 300
"""Letters of an error's text that a line keeps."""
_LEVELS: Final = {states.SUCCESS: "info", states.FAILURE: "error"}

logger = structlog.get_logger(LOGGER)


def connect() -> None:
    """Listens to the worker's signals: in a pool's threads, its children, its main process."""
    signals.task_prerun.connect(_began)
    signals.task_postrun.connect(_ended)
    signals.task_retry.connect(_lost_and_retried)
    signals.task_failure.connect(_lost)


def waited(request: Any, now: float) -> float | None:
    """Seconds from when a task could have started to `now` (epoch), or None where none can tell.

    The stamp is read from the message's own headers: a tracing tool may keep an older copy of
    them in `request.headers`.
    """
    stamp = getattr(request, "enqueued_at", None)
    if stamp is None:
        return None
    eta = maybe_iso8601(request.eta)
    due = eta.timestamp() if isinstance(eta, datetime) else 0.0
    return round(max(0.0, now - max(float(stamp), due)), 3)


def _began(task: Any, **_: Any) -> None:
    task.request.run_waited = waited(task.request, time.time())
    task.request.run_began = time.monotonic()


def _ended(task: Any, retval: object = None, state: str | None = None, **_: Any) -> None:
    if state is None:
        return  # the child is being stopped; the main process says why
    error = retval if isinstance(retval, BaseException) else None
    _say(task, task.request, state, error)


def _lost_and_retried(sender: Any, request: Any, reason: BaseException, **_: Any) -> None:
    if not hasattr(request, "run_began"):
        _say(sender, request, states.RETRY, reason)


def _lost(sender: Any, exception: BaseException, **_: Any) -> None:
    # Celery tells a hard time limit twice, the second time without the request.
    if sender.request.id and not hasattr(sender.request, "run_began"):
        _say(sender, sender.request, states.FAILURE, exception)


def _say(task: Any, request: Any, state: str, error: BaseException | None = None) -> None:
    if isinstance(error, Retry) and error.exc is not None:
        error = error.exc
    why = {} if error is None else {"error": f"{type(error).__name__}: {error}"[:LONGEST]}
    began = getattr(request, "run_began", None)
    getattr(logger, _LEVELS.get(state, "warning"))(
        "task_run",
        task_id=request.id,
        task=task.name,
        queue=(request.delivery_info or {}).get("routing_key"),
        worker=request.hostname,
        state=state.lower(),
        wait_seconds=getattr(request, "run_waited", None),
        run_seconds=None if began is None else round(time.monotonic() - began, 3),
        attempt=(request.retries or 0) + 1,
        **why,
    )
