"""The part `outbox`: enqueues that are still rows."""

import time
from typing import Any, Final

from django.apps import apps

from dutiful.monitoring.snapshot.facts import Outbox

MOST: Final = 10_000
"""At most so many rows are counted."""


def read() -> Outbox:
    """Raises django.db.Error."""
    model: Any = apps.all_models["dutiful_outbox"].get("outboxmessage")
    if model is None:
        return Outbox(installed=False)
    rows = model.objects.exclude(state="dropped")
    count = rows.order_by()[:MOST].count()
    oldest = rows.order_by("id").values_list("created_at", flat=True).first() if count else None
    return Outbox(
        rows=count,
        oldest_seconds=None if oldest is None else max(0.0, time.time() - oldest.timestamp()),
    )
