"""SIGTERM: tasks not begun are put back at once, running ones may finish, the exit is in time."""

import os
import signal
import time
from typing import Any

import pytest

from dutiful.testing.processes import wait_for
from tests.support.drain import (
    GRACE,
    IN_TIME,
    QUEUE,
    SOON,
    Worker,
    began,
    ended,
    nothing_is_held,
    stopped,
)
from tests.support.drain_fixtures import client, worker
from tests.support.lasting import last, limited

__all__ = ["client", "worker"]  # fixtures; as a plugin they would be every test's


@pytest.mark.parametrize("profile", ["io", "compute"])
def test_what_ends_within_the_grace_ends(worker: Worker, client: Any, profile: str) -> None:
    running = worker(profile)
    last.delay("short", 2)
    began(client, "short")
    running.signal(signal.SIGTERM)
    took = stopped(running, IN_TIME)
    assert took > 0.5  # it waited
    assert ended(client, "short") == 1
    assert client.llen(QUEUE) == 0
    nothing_is_held(client)


@pytest.mark.parametrize(
    ("profile", "whole_group"), [("io", False), ("compute", False), ("compute", True)]
)
def test_what_lasts_longer_goes_back(
    worker: Worker, client: Any, profile: str, whole_group: bool
) -> None:
    running = worker(profile)
    last.delay("long", 60)
    began(client, "long")
    (os.killpg if whole_group else os.kill)(running.pid, signal.SIGTERM)
    assert stopped(running, IN_TIME) > GRACE / 2
    assert ended(client, "long") == 0
    assert client.llen(QUEUE) == 1
    nothing_is_held(client)
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)  # no process is left, and no zombie


@pytest.mark.parametrize("profile", ["io", "compute"])
def test_nothing_new_begins_and_what_waits_goes_back_at_once(
    worker: Worker, client: Any, profile: str
) -> None:
    running = worker(profile, slots=1)
    last.delay("first", 6)
    began(client, "first")
    last.delay("waits", 0)  # perhaps fetched already
    last.apply_async(("later", 0), countdown=60)
    time.sleep(1)
    running.signal(signal.SIGTERM)
    last.delay("new", 0)

    def back() -> bool:
        assert running.popen.poll() is None, "it had to wait for the first"
        parked = client.zcard("dutiful:parked") if client.exists("dutiful:parked") else 0
        return int(client.llen(QUEUE)) + int(parked) == 3

    wait_for("three back in their queue", back, 3)
    stopped(running, IN_TIME)
    assert ended(client, "first") == 1
    assert not client.exists("test:waits", "test:later", "test:new")


def test_rate_limited_tasks_go_back(worker: Worker, client: Any) -> None:
    running = worker("io", slots=10)
    for _ in range(3):
        limited.delay("limited")
    began(client, "limited")
    wait_for("all fetched", lambda: client.llen(QUEUE) == 0)
    running.signal(signal.SIGTERM)
    stopped(running, SOON)
    assert client.llen(QUEUE) == 2
    nothing_is_held(client)


def test_an_idle_worker_is_gone_at_once(worker: Worker) -> None:
    for profile in ("io", "compute"):
        running = worker(profile)
        running.signal(signal.SIGTERM)
        stopped(running, SOON)
        assert "worker stops (SIGTERM)" in running.log
