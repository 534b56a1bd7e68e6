"""Writes the start and the end of a task to the run record.

Stock Celery's tasks and ours call the same function. Imports nothing else of the pack.
"""

import functools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import redis

STARTS: Final = "drill:runs"
"""Redis list: [number, kind, seconds waited, epoch seconds, worker] for each start of a task."""
ENDS: Final = "drill:ends"
"""Redis list: [number, epoch seconds, worker] for each end."""
DONE: Final = "drill:done"
"""Redis set: the numbers of the tasks that ended at least once."""


@functools.cache
def client() -> redis.Redis:
    """Returns the record's Redis client: DRILL_RECORD_URL, or the broker where that is not set."""
    # When a task runs, not at import: a worker on another broker loads this module too.
    return redis.Redis.from_url(os.environ.get("DRILL_RECORD_URL") or os.environ["BROKER_URL"])


@contextmanager
def recorded(number: int, kind: str, sent: float) -> Iterator[None]:
    """Records the start and, unless the body raises or dies, the end. `sent` is an epoch second."""
    now, worker = time.time(), os.environ.get("DRILL_WORKER", "")
    client().rpush(STARTS, json.dumps([number, kind, now - sent, now, worker]))
    yield
    with client().pipeline() as pipe:
        pipe.rpush(ENDS, json.dumps([number, time.time(), worker]))
        pipe.sadd(DONE, number)
        pipe.execute()
