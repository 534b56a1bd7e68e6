"""A worker that loses its connection keeps what it holds: nothing is doubled, nothing forgotten."""

import json
import os
import signal
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
from tests.support.letters import message, notes
from tests.support.ps import children
from tests.support.suspects import TESTS

COMPUTE, FAST = "average_slow_compute", "average_fast"
LOST, CAME = "Connection to broker lost", "Connected to redis"
SUSPECTS = ("-c", "1", "-I", "tests.support.suspects")


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True, client_name=TESTS) as client:
        client.flushall()
        yield client


def cut(client: Any, worker: Running) -> None:
    """The server closes all connections but the tests', until the worker's loop has noticed."""
    lost, came = worker.log.count(LOST), worker.log.count(CAME)

    def noticed() -> bool:
        for connection in client.client_list():
            if connection["name"] != TESTS:
                client.client_kill_filter(_id=connection["id"])
        time.sleep(0.2)
        return worker.log.count(LOST) > lost

    wait_for("the loss", noticed)
    wait_for("a new connection", lambda: worker.log.count(CAME) > came)


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_what_waits_for_the_pool_runs_once(
    client: Any, start_worker: StartWorker, pool: str
) -> None:
    worker = start_worker("-Q", COMPUTE, "-P", pool, *SUSPECTS, "--prefetch-multiplier", "4")
    keys = [str(uuid4()) for _ in range(6)]
    for key in keys:
        app.send_task("suspects.bystander", [key, 1.0], queue=COMPUTE)
    for _ in range(2):
        wait_for(
            "a task that runs, and three that wait", lambda: client.hlen("dutiful:messages") == 4
        )
        cut(client, worker)
    wait_for("all of them", lambda: all(notes(client, key) for key in keys))
    wait_for("the last ack", lambda: not client.exists("dutiful:messages"))
    assert [notes(client, key) for key in keys] == [["start"]] * 6
    assert not client.exists(COMPUTE)


def test_a_message_half_written_to_a_child_is_finished(
    client: Any, start_worker: StartWorker
) -> None:
    """More than a pipe holds, to a child that does not read: stock forgets the second half."""
    worker = start_worker("-Q", FAST, "-P", "prefork", *SUSPECTS)
    (child,) = children(worker.pid)
    os.kill(child, signal.SIGSTOP)
    large, small, content = str(uuid4()), str(uuid4()), "x" * 500_000
    client.lpush(FAST, json.dumps(message("suspects.new_name", [large, content], queue=FAST)))
    wait_for("the worker has it", lambda: client.hlen("dutiful:messages") == 1)
    time.sleep(0.5)  # in which it writes what the pipe takes
    cut(client, worker)
    os.kill(child, signal.SIGCONT)
    wait_for("the large one", lambda: notes(client, large))
    assert notes(client, large) == [content]
    app.send_task("suspects.new_name", [small], queue=FAST)
    wait_for("the next one", lambda: notes(client, small))
    assert len(notes(client, large)) == 1
