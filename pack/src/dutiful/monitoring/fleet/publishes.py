"""How long publishes take, where they happen: measured around the transport's own call.

Not by Celery's signals: the outbox sends the first when it writes the row and the second when the
message is out. Only our transport is measured.
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
    """What this process is, by its command line."""
    found = process.kind(words, conf().shapes).partition("_")[0]
    return found if found in ("web", "beat", "worker") else OTHER


def measure(count: Callable[[Run], None], me: str) -> None:
    """From here on each publish of this process is counted for the role `me`."""
    ways: list[tuple[Any, str]] = [
        (LeasedChannel, "_put"),
        (PublisherPool, "put"),
        (PublisherPool, "put_many"),
    ]
    for holder, name in ways:
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
            if not (isinstance(answer, list) and any(answer)):  # a prompt's errors
                ended = "succeeded"
        finally:
            # As a run of the role on a queue of that name.
            took = time.perf_counter() - began
            count((me, PUBLISHES, ended, None, took, None, None, None))
        return answer

    return measured
