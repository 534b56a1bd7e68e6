"""A run, live: the page asks for it twice a second until it is finished."""

from collections.abc import Callable
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from tasks.examples import jobs
from tasks.examples.jobs import Job
from tasks.examples.runs.models import Run
from tasks.examples.runs.steps import said, steps

STOP_POLLING: Final = 286
"""htmx's own status code."""
NOBODY_CAME: Final = 10
"""Seconds in the queue after which the page asks whether a worker runs."""


def start(
    request: HttpRequest, job: Job, subject: Model, *args: Any, undo: Callable[[], object]
) -> HttpResponse:
    """Sends the job for a row that is saved, and answers with its run.

    `undo` is called when the broker does not take the message.
    """
    try:
        sent = job.task.delay(str(subject.pk), *args)
    except OperationalError as error:
        Run.objects.filter(subject=str(subject.pk), state=Run.State.QUEUED).delete()
        undo()
        return problem(request, job, f"Not sent: the broker does not answer ({error}).", 503)
    if not is_htmx(request):
        return redirect("examples:run", sent.id)
    run = Run.objects.filter(pk=sent.id).first() or Run(
        task_id=sent.id, name=job.task.name, queued_at=timezone.now()
    )
    # Read again, after its run: a quick worker has finished by now.
    row = job.subject._default_manager.filter(pk=subject.pk).first()
    return render(request, "examples/run.html", context(request, job, run, row))


def problem(request: HttpRequest, job: Job, text: str, status: int = 422) -> HttpResponse:
    """What was refused at the door, where the run would be shown."""
    template = "examples/run.html" if is_htmx(request) else "examples/run_page.html"
    shown = {**context(request, job), "problem": text}
    return render(request, template, shown, status=status)


@never_cache
@require_safe
def run_view(request: HttpRequest, task_id: str) -> HttpResponse:
    """One run: a fragment for htmx, a page that reloads itself where there are no scripts."""
    run = Run.objects.filter(pk=task_id).first()
    job = jobs.BY_TASK.get(run.name) if run else None
    if run is None or job is None:
        return HttpResponse("This run is gone.", status=STOP_POLLING if is_htmx(request) else 404)
    shown = context(request, job, run, subject_of(job, run))
    template = "examples/run.html" if is_htmx(request) else "examples/run_page.html"
    return render(request, template, shown)


def subject_of(job: Job, run: Run) -> Model | None:
    """The row a run is about, None if it is gone."""
    try:
        found: Model | None = job.subject._default_manager.filter(pk=run.subject).first()
    except ValidationError:  # not a key
        return None
    return found


def context(
    request: HttpRequest, job: Job, run: Run | None = None, subject: Model | None = None
) -> dict[str, Any]:
    """What `examples/run.html` shows. Without a run: three steps that wait."""
    seen = request.GET.get("seen", "")
    lonely = run is not None and run.phase == "queued" and run.waited > NOBODY_CAME
    return {
        "job": job,
        "run": run,
        "subject": subject,
        "steps": steps(run),
        "said": said(run) if run and run.phase != seen and is_htmx(request) else "",
        "nobody_came": lonely,
    }


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))
