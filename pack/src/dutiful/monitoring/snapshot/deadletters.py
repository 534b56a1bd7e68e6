"""The part `dead_letters`: those in the broker's stream, and those in the database."""

from collections import Counter
from typing import Any, Final

from django.apps import apps

from dutiful.monitoring.snapshot.facts import DeadLetters
from dutiful.transport.redis.look import Look

MOST: Final = 10_000
"""At most so many dead letters are counted."""
NEWEST: Final = 1_000
"""Reasons and queues are counted over the newest ones only: those of a storm are alike."""

Stored = tuple[int, dict[str, int], dict[str, int]]
"""How many are open; the newest of them by reason, and by queue."""


def stored() -> Stored | None:
    """None where `dutiful.deadletters` is not installed. Raises django.db.Error."""
    model: Any = _model()
    if model is None:
        return None
    is_open = model.objects.filter(state="open")
    count = is_open.order_by()[:MOST].count()
    newest = list(is_open.order_by("-died_at").values_list("reason", "queue")[:NEWEST])
    return count, Counter(reason for reason, _ in newest), Counter(queue for _, queue in newest)


def _model() -> Any:
    return apps.all_models["dutiful_deadletters"].get("letter")


def read(look: Look | None, found: Stored | None, why: str) -> DeadLetters:
    """`why` says that the database or the broker did not answer."""
    since = look.dead_since if look else None
    return DeadLetters(
        unreachable=why,
        installed=_model() is not None,
        stream=look.dead if look else None,
        stream_oldest_seconds=max(0.0, look.now - since) if look and since else None,
        stored=found[0] if found else None,
        by_reason=dict(found[1]) if found else {},
    )
