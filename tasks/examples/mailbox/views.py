"""The mailbox's two pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tasks.examples.mailbox import messages


@never_cache
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    _refuse_strangers(request)
    return render(request, "examples/mailbox.html", {"mails": messages.newest()})


@never_cache
@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail, as text: what is HTML in it is escaped, its links can be followed."""
    _refuse_strangers(request)
    found = messages.named(name)
    if found is None:
        raise Http404("no such mail")
    return render(request, "examples/mailbox_mail.html", {"mail": found})


def _refuse_strangers(request: HttpRequest) -> None:
    if not messages.open_to(request):
        raise Http404("the mailbox is for development, on the machine itself")
