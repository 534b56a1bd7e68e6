"""`/healthz/…`: 200 or 503 for load balancers and uptime services, without login or session.

Names, figures and reasons are shown where HEALTHZ_NAMES allows it; else the status alone.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.apps import apps
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dutiful.conf import conf
from dutiful.current import app
from dutiful.monitoring import env
from dutiful.monitoring.alerts.alert import Finding
from dutiful.monitoring.alerts.collected import Collected, Counters
from dutiful.monitoring.alerts.rules import fleet
from dutiful.monitoring.alerts.rules import queues as rules_queues
from dutiful.monitoring.deadline import DeadlineExceeded
from dutiful.monitoring.healthz.probe import Probe, ask_broker, ask_database
from dutiful.monitoring.slo.starts import Starts
from dutiful.monitoring.snapshot import take
from dutiful.worker.deployment.configured import is_redis

OVERDUE: Final = 45.0
"""Seconds that a run may be overdue before /healthz/beat fails: a deploy takes less."""
UNSERVED: Final = 60.0
"""Seconds that messages may wait without any worker before /healthz/queues fails."""

_database = Probe("the database", ask_database)
_broker = Probe("the broker", ask_broker)
_snapshot = Probe("the snapshot", take, 4.0)
_since = time.time()
Answer = dict[str, Any]
View = Callable[[HttpRequest], HttpResponse]


def _healthz(check: Callable[[], Answer]) -> View:
    """`check` returns the body; its status is `ok`, `degraded` (200 both) or `fail` (503)."""

    @never_cache
    @require_safe
    @wraps(check)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            body = check()
        except DeadlineExceeded as error:
            body = {"status": "fail", "reasons": [str(error)]}
        code = 503 if body["status"] == "fail" else 200
        shown = body if env.HEALTHZ_NAMES.get() else {"status": body["status"]}
        return JsonResponse(shown, status=code)

    return view


@_healthz
def live() -> Answer:
    """This process answers. Platforms restart by this: a restart would help nothing else."""
    return {"status": "ok"}


@_healthz
def ready() -> Answer:
    """Requests can be served; with an outbox also without the broker.

    A load balancer that removes every web process would turn a delay into an outage.
    """
    for probe in (_database, _broker):
        probe.begin()
    troubles = {"database": _database.trouble(), "broker": _broker.trouble()}
    status = "ok" if not any(troubles.values()) else "degraded"
    if troubles["database"] or (troubles["broker"] and not apps.is_installed("dutiful.outbox")):
        status = "fail"
    return {"status": status, **{name: why or "ok" for name, why in troubles.items()}}


@_healthz
def beat() -> Answer:
    """The schedule ticks, and its heartbeats arrive through every queue."""
    collected = _collected()
    seen = collected.snapshot.beat
    if not seen.installed:
        return {"status": "ok", "reasons": [], "installed": False}
    reasons = [each for each in (seen.unreachable, seen.leader_unreachable) if each]
    overdue = max((entry.overdue_seconds for entry in seen.entries if not entry.paused), default=0)
    if overdue > OVERDUE:
        reasons.append(f"a run is overdue by {overdue:.0f} s")
    reasons += _bad(fleet.heartbeat_late(collected))
    return {
        "status": "fail" if reasons else "ok",
        "reasons": reasons,
        "leader": bool(seen.leader),
    }


@_healthz
def queues() -> Answer:
    """No message waits longer than its queue allows, and each queue with messages has a worker."""
    collected = _collected()
    snapshot = collected.snapshot
    # Of RabbitMQ it is only known whether it answers.
    unavailable = snapshot.queues.unreachable if is_redis(app()) else _broker.trouble()
    reasons = [unavailable] if unavailable else []
    reasons += _bad(rules_queues.queue_late(collected))
    for finding in rules_queues.queue_unserved(collected) or ():
        queue = snapshot.queues.named(finding.subject)
        if finding.bad and queue is not None and (queue.oldest_seconds or 0) > UNSERVED:
            reasons.append(finding.text)
    return {
        "status": "fail" if reasons else "ok",
        "reasons": reasons,
        "queues": {
            queue.name: {"depth": queue.depth, "oldest_seconds": queue.oldest_seconds}
            for queue in snapshot.queues.each
        },
    }


def _collected() -> Collected:
    snapshot = _snapshot.answer()
    return Collected(
        now=snapshot.taken_at,
        snapshot=snapshot,
        starts=Starts(),
        counters=Counters(),
        since=_since,
        profiles=conf().shapes,
    )


def _bad(findings: list[Finding] | None) -> list[str]:
    return [finding.text for finding in findings or () if finding.bad]
