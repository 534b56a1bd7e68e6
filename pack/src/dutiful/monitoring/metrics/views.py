"""`/metrics`: the fleet's metrics for Prometheus."""

import hmac
from collections.abc import Iterator
from typing import Any

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dutiful.conf import conf
from dutiful.monitoring import env
from dutiful.monitoring.snapshot import own_taker

AGE = 1.0
"""Seconds that a snapshot may be old, so that several scrapers share one."""


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """With METRICS_TOKEN, readable by its bearer; else by staff, outside production by all."""
    if not _may_read(request):
        answer = HttpResponse(
            "Send `Authorization: Bearer` with METRICS_TOKEN, or log in as staff.\n",
            status=401,
            content_type="text/plain",
        )
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fleet())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    token = env.METRICS_TOKEN.get()
    sent = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        return True
    if not token and conf().environment != "production":
        return True
    try:
        return bool(getattr(request.user, "is_staff", False))
    except DatabaseError:
        return False  # the user cannot be looked up


class _Fleet:
    def collect(self) -> Iterator[Any]:
        from dutiful.monitoring.metrics.fleet import metrics as of

        return of(own_taker().take(max_age=AGE), own_taker().fleet())
