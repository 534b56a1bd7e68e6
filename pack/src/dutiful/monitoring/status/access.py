"""Who may read the page: staff all of it, others without machines, errors and links if so set.

With the database down nobody can be recognised by a session. Staff who looked in the last hours
have a pass for that hour: a signed cookie that is good only beside the session it was made for, so
that logging out ends it. Whoever has none is told no more than /healthz/ tells strangers.
"""

import hashlib
from enum import Enum
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse

from dutiful.monitoring import env

PASS: Final = "status_pass"  # noqa: S105  # a cookie's name
SALT: Final = "dutiful.monitoring.status"
PASS_SECONDS: Final = 12 * 3600


class Reader(Enum):
    STAFF = "staff"
    GUEST = "guest"
    """STATUS_PUBLIC lets everybody read: no host names, addresses, errors, commands, links."""
    STRANGER = "stranger"
    """Nobody that is known, and nobody can be."""
    REFUSED = "refused"
    """Logged in, and no staff."""
    ANONYMOUS = "anonymous"
    """Not logged in: may do so."""


def reader(request: HttpRequest, *, database: bool) -> Reader:
    """`database`: whether it answers."""
    guest = env.STATUS_PUBLIC.get()
    if database:
        try:
            user = request.user
            if user.is_active and getattr(user, "is_staff", False):
                return Reader.STAFF
            if guest:
                return Reader.GUEST
            return Reader.REFUSED if user.is_authenticated else Reader.ANONYMOUS
        except DatabaseError:  # it went away just now
            pass
    if _has_pass(request):
        return Reader.STAFF
    return Reader.GUEST if guest else Reader.STRANGER


def give_pass(request: HttpRequest, response: HttpResponse) -> None:
    """To staff that the database has just recognised."""
    session = _session(request)
    if not session:
        return
    response.set_cookie(
        PASS,
        signing.dumps(_print(session), salt=SALT),
        max_age=PASS_SECONDS,
        path="/status/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _has_pass(request: HttpRequest) -> bool:
    session = _session(request)
    try:
        told = signing.loads(request.COOKIES.get(PASS, ""), salt=SALT, max_age=PASS_SECONDS)
    except signing.BadSignature:
        return False
    return bool(session) and told == _print(session)


def _session(request: HttpRequest) -> str:
    """The session's key, wherever WithoutDatabase put it."""
    kept = request.META.get("monitoring.session")
    return kept or request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")


def _print(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
