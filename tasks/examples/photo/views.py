"""Upload a photo; put another in its place."""

import uuid
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from tasks.examples import jobs
from tasks.examples.photo.door import at_most
from tasks.examples.photo.forms import LARGEST, TOO_LARGE, PhotoForm
from tasks.examples.photo.models import Photo
from tasks.examples.photo.sample import paint
from tasks.examples.runs.views import context, problem, start


def _too_large(request: HttpRequest) -> HttpResponse:
    return problem(request, jobs.PHOTO, TOO_LARGE, 413)


@at_most(LARGEST, _too_large)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """A POST stores the file (or a painted one, if asked for) and sends the task."""
    if request.method != "POST":
        shown = {**context(request, jobs.PHOTO), "form": PhotoForm()}
        return render(request, "examples/photo.html", shown)
    content, refusal = _file(request, may_paint=True)
    if refusal:
        return problem(request, jobs.PHOTO, refusal)
    photo = Photo(uploaded_name=content.name)
    # Nothing of a stranger's file name reaches the storage.
    photo.file.save(uuid.uuid4().hex, content)
    return start(request, jobs.PHOTO, photo, photo.version, undo=lambda: _remove(photo))


@at_most(LARGEST, _too_large)
@require_POST
def replace(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Another file for the same photo: a new version, so a check of the old one counts no more."""
    photo = get_object_or_404(Photo, pk=pk)
    content, refusal = _file(request, may_paint=False)
    if refusal:
        return problem(request, jobs.PHOTO, refusal)
    storage, old = photo.file.storage, photo.file.name
    photo.file.save(uuid.uuid4().hex, content, save=False)
    photo.uploaded_name = content.name
    photo.forget_verdict()
    photo.version = F("version") + 1
    photo.save()
    photo.refresh_from_db()
    storage.delete(old)
    return start(request, jobs.PHOTO, photo, photo.version, undo=lambda: None)


def _file(request: HttpRequest, may_paint: bool) -> tuple[Any, str]:
    """The file, and "" or why it is refused."""
    if may_paint and not request.FILES:
        return ContentFile(paint(), "painted.jpg"), ""
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        return None, str(form.errors["photo"][0])
    return form.cleaned_data["photo"], ""


def _remove(photo: Photo) -> None:
    photo.file.delete(save=False)
    photo.delete()
