"""A middleware before the session's: without a database no session is opened for /status/.

Without it a visitor with a session would get an error, or wait for the database.
"""

from collections.abc import Callable

from django.apps import apps
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

PATH = "/status/"


class WithoutDatabase:
    """Moves the session's cookie to META while the database does not answer; `access` reads it
    there.
    """

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
