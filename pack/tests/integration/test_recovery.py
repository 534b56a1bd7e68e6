"""Who dies where nobody sees the process gone: its work runs again once its lease is over."""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from tests.support.letters import notes

COMPUTE = "average_slow_compute"
WORDS = ("-Q", COMPUTE, "-c", "2", "-I", "tests.support.suspects")
LEASE = 5
BUSY = 5
"""Seconds beyond what is promised: other tests run beside this one."""


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.mark.parametrize("lone", [True, False])
def test_held_messages_run_again(client: Any, start_worker: StartWorker, lone: bool) -> None:
    def another(name: str) -> Running:
        return start_worker(*WORDS, "-n", f"{name}@%h", environment={"LEASE_SECONDS": str(LEASE)})

    worker = another("first")
    keys = [str(uuid4()) for _ in range(2)]
    for key in keys:
        app.send_task("suspects.bystander", [key, 20.0], queue=COMPUTE)
    wait_for("their runs", lambda: all(notes(client, key) == ["start"] for key in keys))
    (owner,) = client.keys("dutiful:owner:*")
    survivor = None if lone else another("second")
    facts = json.loads(client.hget(owner, "facts"))
    worker.kill_group()
    killed = time.monotonic()
    client.hset(owner, "facts", json.dumps({**facts, "host": "elsewhere"}))
    survivor = survivor or another("second")
    restarted = time.monotonic() - killed
    wait_for("the lease's end", lambda: all(len(notes(client, key)) == 2 for key in keys), 60)
    took = time.monotonic() - killed
    print(f"{took:.1f} s after the kill; a restart took {restarted:.1f} s")
    assert [notes(client, key)[1] for key in keys] == ["again", "again"]
    assert took < LEASE + restarted + (5 if lone else 3) + BUSY
    survivor.kill_group()
