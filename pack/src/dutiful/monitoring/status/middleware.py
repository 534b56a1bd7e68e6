"""Before the session's middleware, for /status/ alone: without a database no session is opened.

Else whoever has a session would get an error, or wait: the request's log line asks who it is.
"""

from collections.abc import Callable

from django.apps import apps
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

PATH = "/status/"


class WithoutDatabase:
    """Takes the session's cookie away while the database does not answer; `access` finds it in
    META."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not apps.is_installed("dutiful.monitoring"):
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PATH):
            from dutiful.monitoring.status.page_data import (
                database_answers,  # late: it needs the models
            )

            request.META["monitoring.database"] = database_answers()
            if not request.META["monitoring.database"]:
                session = request.COOKIES.pop(settings.SESSION_COOKIE_NAME, "")
                request.META["monitoring.session"] = session
        return self.get_response(request)
