"""Ask for an export, cancel it, download it."""

import uuid

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tasks.examples import jobs
from tasks.examples.export.models import Export
from tasks.examples.runs.models import Run
from tasks.examples.runs.views import context, is_htmx, run_view, start


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """A POST saves what is asked for and sends the task."""
    if request.method != "POST":
        return render(request, "examples/export.html", context(request, jobs.EXPORT))
    asked = Export.objects.create()
    return start(request, jobs.EXPORT, asked, undo=asked.delete)


@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answers at once; the task stops at its next report."""
    get_object_or_404(Export, pk=pk).cancel()
    run = Run.objects.filter(subject=str(pk), name=jobs.EXPORT.task.name).first()
    if run is None:
        return redirect("examples:export")
    if not is_htmx(request):
        return redirect("examples:run", run.pk)
    request.method = "GET"  # the run as it is now
    return run_view(request, run.pk)


@require_safe
def download(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The file, streamed from the storage. Its address is its secret."""
    found = get_object_or_404(Export, pk=pk)
    if not found.file or not default_storage.exists(found.file):
        raise Http404("not written, or gone")
    return FileResponse(
        default_storage.open(found.file),
        as_attachment=True,
        filename=f"export-{found.created_at:%Y-%m-%d-%H%M%S}.csv",
        content_type="text/csv; charset=utf-8",
    )
