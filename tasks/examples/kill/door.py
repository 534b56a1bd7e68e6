"""Who may kill a worker: somebody at the machine itself, in development."""

import os
from ipaddress import ip_address
from typing import Final

from celery import current_app
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port

from dutiful.transport.redis import host
from dutiful.transport.redis.transport import Transport

FORWARDED: Final = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_CLIENT_IP")
"""What a proxy adds, beside X-Forwarded-*: behind it everybody comes from the loopback."""
HERE: Final = ("localhost", "127.0.0.1", "[::1]")


def open_to(request: HttpRequest) -> bool:
    """DEBUG, this machine's own loopback, no proxy between, and a broker that tells who holds what.

    The host must be the loopback by name too: a stranger's page may lead its own name here.
    """
    return bool(
        settings.DEBUG
        and _from_loopback(request)
        and not _forwarded(request)
        and can_tell_processes()
        and is_ours()
    )


def can_tell_processes() -> bool:
    """Whether the system says which process a pid is, so that no other can be hit. Linux does."""
    return hasattr(os, "pidfd_open") and bool(host.started(os.getpid()))


def is_ours() -> bool:
    """Whether the broker is reached by the project's Redis transport. Asks nobody."""
    found: type = current_app.connection_for_read().get_transport_cls()
    return issubclass(found, Transport)


def _from_loopback(request: HttpRequest) -> bool:
    try:
        name, _port = split_domain_port(request.get_host())
        return name in HERE and ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except (DisallowedHost, ValueError):
        return False


def _forwarded(request: HttpRequest) -> bool:
    return any(name.startswith("HTTP_X_FORWARDED") or name in FORWARDED for name in request.META)
