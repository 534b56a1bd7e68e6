"""Beats for tests: real processes, a clock on which a minute takes two seconds.

`beat(start, broker_url)` runs `celery -A project beat -S tests.support.beat:Fast`. What it sends
to a queue that no worker serves stays there, to be counted with `sent()`.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import redis

from dutiful.beat.scheduler import Scheduler
from dutiful.beat.shared import LEASE_KEY
from dutiful.catalogue.entries import Entry
from dutiful.testing.processes import Running, celery

SPEED: Final = 30
QUEUE: Final = "relaxed_slow"
ENTRY: Final = Entry(
    name="minutely", task="dutiful.beat.heartbeat", cron="* * * * *", queue=QUEUE, expires=1200
)
PAUSED_QUEUE: Final = "average_slow"
PAUSED: Final = Entry(
    name="to-pause",
    task="dutiful.beat.heartbeat",
    cron="* * * * *",
    queue=PAUSED_QUEUE,
    expires=600,
)


class Fast(Scheduler):
    """The project's scheduler, on a clock that runs thirty times as fast from BEAT_EPOCH on."""

    entries = (ENTRY, PAUSED)

    def now(self) -> datetime:
        epoch = float(os.environ["BEAT_EPOCH"])
        return datetime.fromtimestamp(epoch + (time.time() - epoch) * SPEED, UTC)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        return min(super().tick(*args, **kwargs), 0.1)


def beats(
    start: Callable[..., Running], environment: dict[str, str] | None = None
) -> Callable[[], Running]:
    """A function that starts one beat after another, all on the same fast clock."""
    shared = {"BEAT_EPOCH": str(time.time()), **(environment or {})}

    def run() -> Running:
        beat = start(celery("beat", "-S", "tests.support.beat:Fast"), shared)
        beat.wait_for_log("beat: Starting...")
        return beat

    return run


def leads(beat: Running) -> None:
    beat.wait_for_log("this beat leads")


def sent(url: str, queue: str = QUEUE) -> Counter[str]:
    """How many messages lie in the queue, by the dispatch token or scheduled time of each."""
    with redis.Redis.from_url(url) as client:
        bodies = [json.loads(raw) for raw in client.lrange(queue, 0, -1)]
    return Counter(body["headers"]["scheduled_at"] for body in bodies)


def tokens(url: str, queue: str = QUEUE) -> set[str]:
    """The dispatch tokens of the queue's messages: a worker runs one message of each."""
    with redis.Redis.from_url(url) as client:
        return {json.loads(raw)["headers"]["dispatch_token"] for raw in client.lrange(queue, 0, -1)}


def leader(url: str) -> str:
    """The holder of the lease: host/pid/…:fence, or "" if there is none."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return str(client.get(LEASE_KEY) or "")
