"""What the drills' tasks do: note that they started, then take their time. Plain Celery, no Django.

Used by stock Celery's tasks and by ours, so that both do the same work.
"""

import functools
import json
import os
import time

import redis

from drills.scenario import RUNS


@functools.cache
def _client() -> redis.Redis:
    # When a task runs, not at import: a worker on another broker loads this module too.
    return redis.Redis.from_url(os.environ["BROKER_URL"])


def started(number: int, kind: str, sent: float, seconds: float) -> None:
    """`sent` is the epoch second of the enqueue; `seconds` is how long the task then waits."""
    _client().rpush(RUNS, json.dumps([number, kind, time.time() - sent]))
    time.sleep(seconds)
