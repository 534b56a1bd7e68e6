"""One log line for each run of a task: `task_run`, with how long it waited and how long it ran.

`wait_seconds` counts from the publish, or from the eta where that is later. The main process logs a
run whose child was killed, with `run_seconds` null.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from billiard.exceptions import WorkerLostError
from celery import signals, states
from celery.exceptions import Retry
from celery.utils.time import maybe_iso8601

from dutiful.monitoring import log_context, queries
from dutiful.monitoring.fleet.tally import Run

LOGGER: Final = "dutiful.monitoring.runs"
LONGEST: Final = 300
"""Characters of an error's text that a line keeps."""
_LEVELS: Final = {states.SUCCESS: "info", states.FAILURE: "error"}
_OUTCOMES: Final = {states.SUCCESS: "succeeded", states.FAILURE: "failed", states.RETRY: "retried"}

Listener = Callable[[Run], None]
listeners: list[Listener] = []
"""Functions that are called at the end of each run."""

logger = logging.getLogger(LOGGER)


def connect() -> None:
    """Connects to Celery's signals, which threads, children and the main process send."""
    signals.task_prerun.connect(_began)
    signals.task_postrun.connect(_ended)
    signals.task_retry.connect(_lost_and_retried)
    signals.task_failure.connect(_lost)


def waited(request: Any, now: float) -> float | None:
    """Seconds from when a task could have started to `now` (epoch seconds); None: not known.

    The stamp is an attribute of the request, from the message's headers: `request.headers` may be
    a tracing tool's older copy.
    """
    stamp = getattr(request, "enqueued_at", None)
    if not isinstance(stamp, int | float):
        return None  # the message is from another producer
    due = getattr(request, "due_at", None)  # our transport parked it until then
    if due is None and request.eta:
        eta = maybe_iso8601(request.eta)
        due = eta.timestamp() if isinstance(eta, datetime) else 0.0
    return round(max(0.0, now - max(stamp, due or 0.0)), 3)


def _began(task: Any, task_id: str, **_: Any) -> None:
    request = task.request  # a property that searches, so it is read once
    log_context.bind(request, task_id)
    request.run_waited = waited(request, time.time())
    request.run_asked = queries.spent()
    request.run_cpu = time.thread_time()
    request.run_began = time.monotonic()


def _ended(task: Any, retval: object = None, state: str | None = None, **_: Any) -> None:
    if state is None:
        return  # the child is being stopped; the main process reports why
    error = retval if isinstance(retval, BaseException) else None
    _report(task, task.request, state, error)


def _lost_and_retried(sender: Any, request: Any, reason: BaseException, **_: Any) -> None:
    if not hasattr(request, "run_began"):
        _report(sender, request, states.RETRY, reason)


def _lost(sender: Any, exception: BaseException, **_: Any) -> None:
    # Celery sends this twice for a hard time limit, the second time without the request.
    if sender.request.id and not hasattr(sender.request, "run_began"):
        _report(sender, sender.request, states.FAILURE, exception)


def _report(task: Any, request: Any, state: str, error: BaseException | None = None) -> None:
    if isinstance(error, Retry) and error.exc is not None:
        error = error.exc
    why = {} if error is None else {"error": f"{type(error).__name__}: {error}"[:LONGEST]}
    began = getattr(request, "run_began", None)
    ran = cpu = asked = database = None
    if began is not None:
        ran = time.monotonic() - began
        cpu = time.thread_time() - request.run_cpu  # of this thread only
        asked, database = queries.since(request.run_asked)
    wait = getattr(request, "run_waited", None)
    queue = (request.delivery_info or {}).get("routing_key")
    outcome = "crashed" if isinstance(error, WorkerLostError) else _OUTCOMES.get(state, "other")
    for listener in listeners:
        listener((task.name, queue or "", outcome, wait, ran, cpu, asked, database))
    log_context.log(
        logger,
        _LEVELS.get(state, "warning"),
        "task_run",
        task_id=request.id,
        task=task.name,
        queue=queue,
        worker=request.hostname,
        state=state.lower(),
        wait_seconds=wait,
        run_seconds=None if ran is None else round(ran, 3),
        cpu_seconds=None if cpu is None else round(cpu, 4),
        queries=asked,
        database_seconds=None if database is None else round(database, 6),
        attempt=(request.retries or 0) + 1,
        **why,
    )
