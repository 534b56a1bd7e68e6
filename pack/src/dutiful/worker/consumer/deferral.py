"""Tasks that this release does not know: how long they may wait for a worker that does.

During a deploy old workers get new tasks. Stock Celery throws them away; ours puts them back with
a pause, for minutes, and only then calls them unknown.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

PAUSE_SECONDS: Final = 5.0
"""The shortest wait between two looks; it grows with the age, so that a flood costs little."""
PATIENCE_SECONDS: Final = 600.0
"""From this worker's first sight of a message: a release takes less."""
WARN_SECONDS: Final = 60.0
"""A name is warned of once in this time, however many of its messages come by."""
REMEMBERED: Final = 10_000
"""Messages and names kept in mind; the oldest are forgotten, and so wait longer."""


class Patience:
    """What this process has seen and does not run yet.

    Seconds count from the first sight and not from the publish: a message may have waited in its
    queue for an hour. Nothing can be written into a message, so each worker counts for itself, by
    the delivery tag, which stays the same however often the message goes back.
    """

    def __init__(self, pause: float, patience: float) -> None:
        self.pause, self.patience = pause, patience
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._warned: OrderedDict[str, float] = OrderedDict()

    def age(self, tag: str) -> float:
        """Seconds since this worker first saw the message; 0 now."""
        now = time.monotonic()
        return now - _first(self._seen, tag, now)

    def wait(self, age: float) -> float | None:
        """Seconds until the next look at a message of that age; None when there is none."""
        if age >= self.patience:
            return None
        return min(max(self.pause, age / 4), self.patience - age + 0.1)

    def forget(self, tag: str) -> None:
        self._seen.pop(tag, None)

    def warns(self, name: str) -> bool:
        """Whether this name is to be warned of now."""
        now = time.monotonic()
        if now - self._warned.get(name, -WARN_SECONDS) < WARN_SECONDS:
            return False
        self._warned.pop(name, None)
        _first(self._warned, name, now)
        return True


class Unknown(Patience):
    """Messages of tasks that this release does not know."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """`options` are the transport's; ours there win over the constants above."""
        super().__init__(
            float(options.get("unknown_task_pause_seconds", PAUSE_SECONDS)),
            float(options.get("unknown_task_patience_seconds", PATIENCE_SECONDS)),
        )


def _first(times: "OrderedDict[str, float]", key: str, now: float) -> float:
    found = times.setdefault(key, now)
    while len(times) > REMEMBERED:
        times.popitem(last=False)
    return found
