"""The button and what follows. Both are not there for strangers."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from tasks.examples.kill import door, press
from tasks.examples.kill.models import Kill
from tasks.examples.kill.story import IDLE, story
from tasks.examples.runs.views import is_htmx


@require_POST
def kill(request: HttpRequest) -> HttpResponse:
    """Kills a worker that holds tasks. While one is under way, shows that one."""
    _refuse_strangers(request)
    under_way = Kill.under_way()
    if under_way and not under_way.killed_at:
        return _problem(request, "The press before this one is not through yet.", 422)
    try:
        pressed = under_way or press.press()
    except press.Refused as refused:
        return _problem(request, str(refused), 422)
    except OperationalError as error:
        return _problem(request, f"Nobody killed: the broker does not answer ({error}).", 503)
    if not is_htmx(request):
        return redirect("examples:killed", pressed.pk)
    return render(request, "examples/kill_run.html", _context(request, pressed))


@never_cache
@require_safe
def killed(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How it goes on: a fragment for htmx, without scripts a page that reloads itself."""
    _refuse_strangers(request)
    found = get_object_or_404(Kill, pk=pk, killed_at__isnull=False)
    return render(request, _template(request), _context(request, found))


def _context(request: HttpRequest, found: Kill) -> dict[str, object]:
    told = story(found)
    changed = told.phase != request.GET.get("seen") and is_htmx(request)
    return {"kill": found, "story": told, "say": changed}


def _problem(request: HttpRequest, text: str, status: int) -> HttpResponse:
    shown = {"story": IDLE, "problem": text}
    return render(request, _template(request), shown, status=status)


def _template(request: HttpRequest) -> str:
    return "examples/kill_run.html" if is_htmx(request) else "examples/kill_page.html"


def _refuse_strangers(request: HttpRequest) -> None:
    if not door.open_to(request):
        raise Http404("workers are killed in development only, by who sits at the machine")
