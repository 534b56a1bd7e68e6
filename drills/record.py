"""What the drills' tasks do: note that they started, then take their time. Plain Celery, no Django.

Used by stock Celery's tasks and by ours, so that both do the same work.
"""

import json
import os
import time

import redis

from drills.scenario import RUNS

_CLIENT = redis.Redis.from_url(os.environ.get("BROKER_URL", "redis://127.0.0.1:6399/0"))


def started(number: int, kind: str, sent: float, seconds: float) -> None:
    """`sent` is the epoch second of the enqueue; `seconds` is how long the task then waits."""
    _CLIENT.rpush(RUNS, json.dumps([number, kind, time.time() - sent]))
    time.sleep(seconds)
