"""Retry policies. I/O is expected to fail, so every task has one.

The vocabulary `Retry(times, on, ignore)` is from Sentry's taskworker, full jitter from Amazon's
"Exponential Backoff And Jitter" (2015).
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from dutiful.catalogue.classes import HOUR, MINUTE, Urgency

LONGEST_RETRY_AFTER: Final = 24 * HOUR
"""Seconds: the longest Retry-After that is followed."""


class PermanentError(Exception):
    """Raise it if a retry cannot help: the task ends at once, as a dead letter."""

    reason: str = "permanent error"
    """The reason that the dead letter shows. A subclass may set its own."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickle would call the class with its message, but a subclass may take other arguments.
        return _restored, (type(self), self.args, vars(self))


def _restored(kind: type[PermanentError], args: Any, fields: dict[str, Any]) -> PermanentError:
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(fields)
    return error


class RetryAfter(Exception):
    """Raise it if the other side said when to try again."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(reason or f"retry after {seconds:g} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Retry:
    """When a failed task runs again. Waits are in seconds.

    The n-th wait is drawn from [floor, floor + min(cap, backoff * 2**n)]: exponential backoff with
    full jitter, so that a thousand failures are not retried at the same moment.
    """

    times: int
    on: tuple[type[BaseException], ...] = (Exception,)
    ignore: tuple[type[BaseException], ...] = ()
    backoff: float = 2.0
    cap: float = 10 * MINUTE
    floor: float = 1.0
    jitter: bool = True

    def ceiling(self, attempt: int) -> float:
        """The longest wait in seconds after attempt number `attempt`, counted from 0."""
        # 2.0 ** 1024 overflows; the cap applies long before.
        return self.floor + min(self.cap, self.backoff * 2.0 ** min(attempt, 60))

    def wait(self, error: BaseException, attempt: int) -> float | None:
        """Seconds until the next attempt, or None if this was the last one."""
        if isinstance(error, (PermanentError, *self.ignore)) or attempt >= self.times:
            return None
        if not isinstance(error, (RetryAfter, *self.on)):
            return None
        longest = self.ceiling(attempt)
        drawn = random.uniform(self.floor, longest) if self.jitter else longest
        asked = retry_after(error)
        # Not before the moment that the server named. The jitter spreads the clients after it.
        return drawn if asked is None else min(asked, LONGEST_RETRY_AFTER) + drawn

    @property
    def longest(self) -> float:
        """The sum of the longest waits, in seconds."""
        return sum(self.ceiling(attempt) for attempt in range(self.times))


def retry_after(error: BaseException) -> float | None:
    """Seconds that a RetryAfter, or the Retry-After header of an HTTP error, asks for; else None.

    Reads `error.response.headers` (httpx, requests) or `error.headers` (urllib), a number of
    seconds or an HTTP date.
    """
    if isinstance(error, RetryAfter):
        return max(0.0, error.seconds)
    headers = getattr(getattr(error, "response", error), "headers", None)
    value = headers.get("Retry-After") if isinstance(headers, Mapping) or headers else None
    if not isinstance(value, str):
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


QUICK: Final = Retry(times=6, backoff=2, cap=MINUTE)
"""For work that a person waits for."""
STEADY: Final = Retry(times=8, backoff=5, cap=10 * MINUTE)
"""For ordinary work: it outlasts a restart of the other side."""
PATIENT: Final = Retry(times=12, backoff=30, cap=HOUR)
"""For work that can wait: it outlasts an outage of some hours."""
NEVER: Final = Retry(times=0)
"""A single attempt."""
DATABASE: Final = Retry(times=8, backoff=1, cap=30)
"""Used before any of these for an error of the database (dutiful/task/database_errors.py), which
usually answers again within seconds."""
NAMED: Final = {
    "QUICK": QUICK,
    "STEADY": STEADY,
    "PATIENT": PATIENT,
    "NEVER": NEVER,
    "DATABASE": DATABASE,
}
DEFAULTS: Final = {Urgency.URGENT: QUICK, Urgency.AVERAGE: STEADY, Urgency.RELAXED: PATIENT}
"""The policy of a task that declares none, by its urgency."""
