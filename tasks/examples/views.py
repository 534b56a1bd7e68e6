"""The home page: three jobs, one press each; for who sits at the machine, a fourth button."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from tasks.examples import jobs
from tasks.examples.kill import door
from tasks.examples.kill.story import IDLE
from tasks.examples.mail.forms import SignupForm
from tasks.examples.photo.forms import PhotoForm
from tasks.examples.runs.steps import steps


@ensure_csrf_cookie
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    forms = {"mail": SignupForm(), "photo": PhotoForm()}
    cards = [{"job": job, "form": forms.get(job.slug), "steps": steps(None)} for job in jobs.JOBS]
    shown = {"cards": cards, "may_kill": door.open_to(request), "story": IDLE}
    return render(request, "examples/home.html", shown)
