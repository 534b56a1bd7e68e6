"""The views of `/status/`: the page, and the sections that changed for its poll."""

from datetime import UTC, datetime
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dutiful.conf import conf
from dutiful.monitoring.status import page
from dutiful.monitoring.status.access import Reader, give_pass, reader
from dutiful.monitoring.status.page_data import PageData, database_answers, load

POLL: Final = 5
"""Seconds between two polls of the page."""


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """The whole page. `?live=0` stops the polling."""
    return _answer(request, poll=False)


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """For htmx: `have` names what the browser shows, each with the hash of its text."""
    return _answer(request, poll=True)


def _answer(request: HttpRequest, *, poll: bool) -> HttpResponse:
    answers = request.META.get("monitoring.database")
    database = database_answers() if answers is None else bool(answers)
    who = reader(request, database=database)
    if who is Reader.ANONYMOUS:
        login = redirect_to_login(reverse("dutiful:status"), str(settings.LOGIN_URL))
        return HttpResponse(headers={"HX-Redirect": login["Location"]}) if poll else login
    if who is Reader.REFUSED:
        return render(request, "dutiful/monitoring/refused.html", status=403)
    shown = _shown(load(database=database), who)
    shown["paused"] = not poll and request.GET.get("live") == "0"
    if who is Reader.STRANGER:
        return render(request, "dutiful/monitoring/stranger.html", shown)
    shown["have"] = request.GET.getlist("have") if poll else ()
    shown["sentence"] = page.sentence(shown)
    shown["sections"] = page.sections(shown, shown["have"])
    response = render(
        request, "dutiful/monitoring/live.html" if poll else "dutiful/monitoring/status.html", shown
    )
    if who is Reader.STAFF and database and not poll:
        give_pass(request, response)
    return response


def _shown(data: PageData, who: Reader) -> dict[str, Any]:
    return {
        **page.context(data, who is Reader.STAFF),
        "taken": f"{datetime.fromtimestamp(data.snapshot.taken_at, UTC):%H:%M:%S}",
        "poll": POLL,
        "htmx": apps.is_installed("django_htmx"),  # else the browser loads the whole page again
        "flower": conf().flower_url,
    }
