"""Refuses a request that is too large before a byte of its body is read.

Django's forms see a file only once all of it has arrived and lies on the disk.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

View = Callable[..., HttpResponse]
FORM: int = 64 * 1024
"""Bytes that the rest of the form may take."""


def at_most(size: int, refuse: Callable[[HttpRequest], HttpResponse]) -> Callable[[View], View]:
    """A view whose body has at most `size` bytes, by its Content-Length.

    CSRF is checked inside, since that check reads the body (Django's documentation, "Modifying
    upload handlers on the fly").
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if int(request.META.get("CONTENT_LENGTH") or 0) > size + FORM:
                return refuse(request)
            return protected(request, *args, **kwargs)

        return wrapped

    return decorate
