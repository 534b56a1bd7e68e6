"""The part `database`: whether it answers, how fast, its connections and its replicas."""

import time

from django.apps import apps
from django.db import connection

from dutiful.monitoring.budget import server
from dutiful.monitoring.snapshot import replicas
from dutiful.monitoring.snapshot.facts import Database


def read() -> Database:
    """Raises django.db.Error."""
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute("SELECT 1")
        latency = time.perf_counter() - began
    return Database(
        vendor=connection.vendor,
        connections=server.measure(),
        latency=latency,
        replicas=replicas.read(),
        history_at=_history(),
    )


def _history() -> float | None:
    newest = (
        apps.get_model("dutiful_monitoring", "BrokerSample")
        .objects.filter(span=60)
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    return None if newest is None else newest.timestamp()
