"""The sign-up's form and the page behind its link."""

from functools import partial

from django.apps import apps
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from tasks.examples import jobs
from tasks.examples.mail import links
from tasks.examples.mail.forms import SignupForm
from tasks.examples.mail.models import Signup
from tasks.examples.mail.webhook import EXAMPLES_WEBHOOK_URL, tell_signup
from tasks.examples.runs.views import context, problem, start


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form; a POST saves the sign-up and sends its mail."""
    if request.method != "POST":
        shown = {**context(request, jobs.MAIL), "form": SignupForm()}
        return render(request, "examples/mail.html", shown)
    form = SignupForm(request.POST)
    if not form.is_valid():
        return problem(request, jobs.MAIL, str(form.errors["email"][0]))
    try:
        signup = Signup.objects.create(email=form.cleaned_data["email"])
    except IntegrityError:  # two at the same moment: the database has the last word
        return problem(request, jobs.MAIL, "This address has signed up already.")
    return start(request, jobs.MAIL, signup, undo=signup.delete)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """A button, not the link itself, confirms: programs that scan mails open every link."""
    signup = links.read(token)
    if signup is None:
        return render(request, "examples/confirm.html", {"signup": None}, status=404)
    if request.method == "POST" and signup.confirmed_at is None:
        with transaction.atomic():  # both or neither: see docs/outbox.md
            signup.confirmed_at = timezone.now()
            signup.save(update_fields=["confirmed_at"])
            if EXAMPLES_WEBHOOK_URL.get():
                tell = partial(tell_signup.delay, str(signup.pk))
                if apps.is_installed("dutiful.outbox"):
                    tell()
                else:  # a process that dies right after the commit sends nothing then
                    transaction.on_commit(tell)
    return render(request, "examples/confirm.html", {"signup": signup})
