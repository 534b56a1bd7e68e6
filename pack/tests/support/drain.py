"""What tests of stopping ask: what began, what ended, what is held, how long the exit took."""

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
    """No message of a worker that has gone waits for its lease, and none is suspected."""
    assert client.hlen("dutiful:messages") == 0
    assert not [*client.scan_iter("dutiful:crashes:*")]


def stopped(worker: Running, seconds: float) -> float:
    """How long it took. The exit is clean."""
    since = time.monotonic()
    assert worker.wait(seconds + 10) == 0, worker.log
    took = time.monotonic() - since
    assert took < seconds, worker.log
    return took
