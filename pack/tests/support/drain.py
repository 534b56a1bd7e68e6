"""Checks for tests of stopping: what began, what ended, what is held, how long the exit took."""

import time
from collections.abc import Callable
from typing import Any

from dutiful.testing.processes import Running, wait_for

GRACE = 8  # seconds
IN_TIME = GRACE + 5  # a platform's kill comes five seconds after the grace
SOON = 6  # an exit that waits for nothing; a busy machine takes a while for it
QUEUE = "average_slow"
Worker = Callable[..., Running]


def began(client: Any, key: str, times: int = 1) -> None:
    wait_for(
        f"{times} starts", lambda: client.lrange(f"test:{key}", 0, -1).count(b"start") == times
    )


def ended(client: Any, key: str) -> int:
    return int(client.lrange(f"test:{key}", 0, -1).count(b"end"))


def nothing_is_held(client: Any) -> None:
    """Asserts that no message waits for the lease of a dead worker, and none has a crash."""
    assert client.hlen("dutiful:messages") == 0
    assert not [*client.scan_iter("dutiful:crashes:*")]


def stopped(worker: Running, seconds: float) -> float:
    """Returns how long the exit took, in seconds. Asserts that it is clean and in time."""
    since = time.monotonic()
    assert worker.wait(seconds + 10) == 0, worker.log
    took = time.monotonic() - since
    assert took < seconds, worker.log
    return took
