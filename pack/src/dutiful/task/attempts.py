"""What the message of a retry carries on: the caller's headers, and a note of each failed
attempt."""

import time
from collections.abc import Mapping
from typing import Any, Final

from celery.app.task import Context

from dutiful.transport.rabbitmq.dead_queue import BROKERS

HEADER: Final = "attempts"
"""Message header: [[epoch seconds, worker, "Type: message"], …], the oldest first."""
MOST: Final = 10
"""The most attempts that are kept: the first one and the latest."""
LONGEST: Final = 160
"""The most characters that are kept of an error."""
CELERY_FIELDS: Final = frozenset(vars(Context)) | {
    *("lang", "task", "argsrepr", "kwargsrepr", "compression", "properties"),
}
"""Fields of a request that Celery sets; all others are the caller's headers."""
JSON: Final = (str, int, float, bool, list, dict, type(None))


def custom(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's headers among a message's headers or a request's fields.

    `request.headers` would not do: with Sentry on, it is a copy made at the first publish.
    """
    return {
        key: value
        for key, value in fields.items()
        if key not in CELERY_FIELDS
        and not key.startswith(("_", *BROKERS))
        and isinstance(value, JSON)
    }


def summary(error: BaseException | None) -> str:
    """One line about an error; None stands for a retry that the body asked for."""
    text = "retry asked for" if error is None else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:LONGEST]


def with_attempt(before: Any, error: BaseException | None, worker: str | None) -> list[Any]:
    """The attempts so far and this one. `before` is the header as received, of any type."""
    known = list(before) if isinstance(before, list) else []
    known.append([round(time.time(), 3), str(worker or ""), summary(error)])
    return known if len(known) <= MOST else [known[0], *known[1 - MOST :]]
