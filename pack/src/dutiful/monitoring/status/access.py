"""Decides who may read the status page, also while the database does not answer.

Staff read all of it; others, if STATUS_PUBLIC allows it, do not see machines, errors and links.
Without the database no session can be read. Staff who opened the page within 12 hours then have a
pass: a signed cookie that is valid only with the session it was made for, so that logging out ends
it. Everybody else sees what /healthz/ shows to everybody.
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
    """Not known, and nobody can log in now."""
    REFUSED = "refused"
    """Logged in, but not staff."""
    ANONYMOUS = "anonymous"
    """Not logged in; is sent to the login."""


def reader(request: HttpRequest, *, database: bool) -> Reader:
    """`database`: whether it answers."""
    guest = env.STATUS_PUBLIC.get()
    if database:
        try:
            user = getattr(request, "user", None)  # AuthenticationMiddleware may be missing
            if user is not None and user.is_active and getattr(user, "is_staff", False):
                return Reader.STAFF
            if guest:
                return Reader.GUEST
            known = user is not None and user.is_authenticated
            return Reader.REFUSED if known else Reader.ANONYMOUS
        except DatabaseError:  # it has just stopped answering
            pass
    if _has_pass(request):
        return Reader.STAFF
    return Reader.GUEST if guest else Reader.STRANGER


def give_pass(request: HttpRequest, response: HttpResponse) -> None:
    """Sets the cookie, for staff that the database has just confirmed."""
    session = _session(request)
    if not session:
        return
    response.set_cookie(
        PASS,
        signing.dumps(_digest(session), salt=SALT),
        max_age=PASS_SECONDS,
        path="/status/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _has_pass(request: HttpRequest) -> bool:
    session = _session(request)
    try:
        signed = signing.loads(request.COOKIES.get(PASS, ""), salt=SALT, max_age=PASS_SECONDS)
    except signing.BadSignature:
        return False
    return bool(session) and signed == _digest(session)


def _session(request: HttpRequest) -> str:
    """The session's key, which WithoutDatabase may have moved to META."""
    kept = request.META.get("monitoring.session")
    return kept or request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
