"""Celery's signals, written down as runs. They come from three processes, in any order.

Only the examples' own tasks are recorded. An error here is logged by Celery and harms no task.
"""

from datetime import UTC, datetime
from typing import Any, Final

from celery import signals
from django.db.models import Q
from django.utils import timezone

from tasks.examples.runs.models import Run

PREFIX: Final = "examples."


def connect() -> None:
    """Called once, when Django is ready."""
    signals.before_task_publish.connect(queued)
    signals.task_prerun.connect(running)
    signals.task_success.connect(done)
    signals.task_retry.connect(retrying)
    signals.task_failure.connect(failed)


def queued(
    sender: str, body: Any, headers: dict[str, Any], routing_key: str = "", **_: Any
) -> None:
    """Before the message leaves, so that the row is there before any worker can be."""
    if not sender.startswith(PREFIX):
        return
    eta, attempt = headers.get("eta"), headers.get("retries") or 0
    fields = {
        "name": sender,
        "queue": routing_key,
        "subject": _subject(body[0]),
        "queued_at": datetime.fromisoformat(eta) if eta else timezone.now(),
    }
    run, created = Run.objects.get_or_create(task_id=headers["id"], defaults=fields)
    if created:
        return
    if run.attempt < attempt:  # the next try
        again = {"state": Run.State.QUEUED, "attempt": attempt, "started_at": None, "worker": ""}
        Run.objects.filter(
            pk=run.pk, attempt__lt=attempt, state__in=(Run.State.QUEUED, Run.State.RUNNING)
        ).update(**fields, **again)


def running(sender: Any, task_id: str, args: Any, **_: Any) -> None:
    """In the worker. Also a second time, when a message comes back from a worker that died."""
    if not sender.name.startswith(PREFIX):
        return
    request, now = sender.request, timezone.now()
    sent = (request.get("headers") or {}).get("enqueued_at") or request.get("enqueued_at")
    Run.objects.get_or_create(
        task_id=task_id,
        defaults={
            "name": sender.name,
            "queue": (request.delivery_info or {}).get("routing_key") or "",
            "subject": _subject(args),
            "queued_at": datetime.fromtimestamp(sent, UTC) if sent else now,
        },
    )
    _update(
        task_id,
        state=Run.State.RUNNING,
        attempt=request.retries or 0,
        started_at=now,
        finished_at=None,
        worker=request.hostname or "",
    )


def done(sender: Any, result: Any, **_: Any) -> None:
    if sender.name.startswith(PREFIX):
        _update(
            sender.request.id,
            state=Run.State.DONE,
            finished_at=timezone.now(),
            result=str(result or "")[:255],
        )


def retrying(sender: Any, request: Any, reason: Any, **_: Any) -> None:
    """Comes after `queued` has noted the next try: adds why."""
    if sender.name.startswith(PREFIX):
        _update(request.id, error=_said(getattr(reason, "exc", None) or reason))


def failed(sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
    if sender.name.startswith(PREFIX):
        _update(
            task_id,
            state=Run.State.FAILED,
            finished_at=timezone.now(),
            error=_said(exception),
        )


def _update(task_id: str, **fields: Any) -> None:
    # What is done stays done, whoever speaks later.
    Run.objects.filter(~Q(state=Run.State.DONE), pk=task_id).update(**fields)


def _subject(args: Any) -> str:
    return str(args[0]) if args else ""


def _said(error: Any) -> str:
    return f"{type(error).__name__}: {error}"[:500]
