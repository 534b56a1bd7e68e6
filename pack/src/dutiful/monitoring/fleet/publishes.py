"""Measures how long publishes take, in the process that publishes, around the transport's call.

Celery's signals would not do: the outbox sends the first when it writes the row and the second when
the message is published. Only our transport is measured.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from dutiful.catalogue import process
from dutiful.conf import conf
from dutiful.monitoring.fleet.store import PUBLISHES
from dutiful.monitoring.fleet.tally import Run
from dutiful.transport.publisher_pool import PublisherPool
from dutiful.transport.redis.channel import LeasedChannel

OTHER = "other"


def role(words: list[str]) -> str:
    """The role of this process by its command line: web, beat, worker or other."""
    found = process.kind(words, conf().shapes).partition("_")[0]
    return found if found in ("web", "beat", "worker") else OTHER


def measure(count: Callable[[Run], None], me: str) -> None:
    """Starts counting each publish of this process for the role `me`."""
    publishers: list[tuple[Any, str]] = [
        (LeasedChannel, "_put"),
        (PublisherPool, "put"),
        (PublisherPool, "put_many"),
    ]
    for holder, name in publishers:
        setattr(holder, name, _measured(getattr(holder, name), count, me))


def _measured(publish: Any, count: Callable[[Run], None], me: str) -> Any:
    @wraps(publish)
    def measured(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("_publish_batch") is not None:
            return publish(*args, **kwargs)  # sent later, with others
        began = time.perf_counter()
        ended = "failed"
        try:
            answer = publish(*args, **kwargs)
            if not (isinstance(answer, list) and any(answer)):  # the errors of a batch
                ended = "succeeded"
        finally:
            # Counted like a run, with the role as its task and PUBLISHES as its queue.
            took = time.perf_counter() - began
            count((me, PUBLISHES, ended, None, took, None, None, None))
        return answer

    return measured
