"""Messages that this worker does not run yet: how long each is put back for, and when that ends.

During a deploy old workers get messages of new tasks. Stock Celery discards them. Here they are put
back with a growing pause, for ten minutes, and only then become dead letters.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

UNKNOWN_PAUSE_SECONDS: Final = 5.0
"""The shortest pause. It grows with the message's age, so that many messages cost little."""
UNKNOWN_LONGEST_SECONDS: Final = 600.0
"""How long a message of an unknown task is put back: a release takes less."""
WARN_SECONDS: Final = 60.0
"""A name is logged once in this time, however many of its messages are put back."""
REMEMBERED: Final = 10_000
"""Messages and names that are remembered. The oldest are forgotten, and are so put back longer."""


class Deferral:
    """Remembers when this process first saw a message that it does not run yet.

    Seconds count from then and not from the publish, since a message may have waited in its queue
    for an hour. Nothing can be written into a message, so each worker counts for itself, by the
    delivery tag, which stays the same however often the message is put back.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        """`shortest` pause and `longest` time of all pauses together, in seconds."""
        self.shortest, self.longest = shortest, longest
        self._first_seen: OrderedDict[str, float] = OrderedDict()
        self._warned: OrderedDict[str, float] = OrderedDict()

    def age(self, tag: str) -> float:
        """Returns the seconds since this worker first saw the message; 0 the first time."""
        now = time.monotonic()
        return now - _remember(self._first_seen, tag, now)

    def pause(self, age: float) -> float | None:
        """Returns the seconds to put back a message of that age; None once its time is over."""
        if age >= self.longest:
            return None
        return min(max(self.shortest, age / 4), self.longest - age + 0.1)

    def forget(self, tag: str) -> None:
        """Forgets a message that is settled."""
        self._first_seen.pop(tag, None)

    def warns(self, name: str) -> bool:
        """Whether a warning about this name is due. True counts as warned."""
        now = time.monotonic()
        if now - self._warned.get(name, -WARN_SECONDS) < WARN_SECONDS:
            return False
        self._warned.pop(name, None)
        _remember(self._warned, name, now)
        return True


def unknown_tasks(options: Mapping[str, Any]) -> Deferral:
    """Of tasks that this release does not know. The transport's `options` may set its times."""
    return Deferral(
        float(options.get("unknown_task_pause_seconds", UNKNOWN_PAUSE_SECONDS)),
        float(options.get("unknown_task_patience_seconds", UNKNOWN_LONGEST_SECONDS)),
    )


def _remember(times: "OrderedDict[str, float]", key: str, now: float) -> float:
    """Returns the time that is remembered for this key, which is `now` for a new one."""
    found = times.setdefault(key, now)
    while len(times) > REMEMBERED:
        times.popitem(last=False)
    return found
