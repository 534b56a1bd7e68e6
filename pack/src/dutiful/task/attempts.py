"""What a message carries from try to try: the caller's headers, and a note of each failed one."""

import time
from collections.abc import Mapping
from typing import Any, Final

from celery.app.task import Context

from dutiful.transport.rabbitmq.dead_queue import BROKERS

HEADER: Final = "attempts"
"""Message header: [[epoch, worker, "Type: message"], …], the oldest first."""
MOST: Final = 10
"""Attempts kept: the first one, and the latest."""
LONGEST: Final = 160
"""Letters kept of what was raised."""
CELERYS: Final = frozenset(vars(Context)) | {
    *("lang", "task", "argsrepr", "kwargsrepr", "compression", "properties"),
}
"""Names of a request that are Celery's; all others were the caller's headers."""
JSON: Final = (str, int, float, bool, list, dict, type(None))


def custom(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's headers among a message's headers, or a request's fields.

    Not `request.headers`: with Sentry on, that is a copy made at the first publish.
    """
    return {
        key: value
        for key, value in fields.items()
        if key not in CELERYS and not key.startswith(("_", *BROKERS)) and isinstance(value, JSON)
    }


def told(error: BaseException | None) -> str:
    """One line about what was raised."""
    said = "retry asked for" if error is None else f"{type(error).__name__}: {error}"
    return " ".join(said.split())[:LONGEST]


def noted(before: Any, error: BaseException | None, worker: str | None) -> list[Any]:
    """The attempts so far and this one. `before` is the header as it came, whatever that is."""
    known = list(before) if isinstance(before, list) else []
    known.append([round(time.time(), 3), str(worker or ""), told(error)])
    return known if len(known) <= MOST else [known[0], *known[1 - MOST :]]
