"""SIGTERM when there is no time: a second signal, SIGQUIT, a broker or a main thread that hangs."""

import os
import signal
import time
from typing import Any

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from tests.support.drain import (
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
from tests.support.lasting import last

__all__ = ["client", "worker"]  # fixtures; as a plugin they would be every test's


def test_the_same_signal_twice_is_one(worker: Worker, client: Any) -> None:
    running = worker("compute")
    last.delay("once", 2)
    began(client, "once")
    running.signal(signal.SIGTERM)
    time.sleep(0.7)
    running.signal(signal.SIGTERM)
    stopped(running, IN_TIME)
    assert ended(client, "once") == 1


def test_a_second_signal_is_heeded_at_once(worker: Worker, client: Any) -> None:
    running = worker("compute", GRACE_SECONDS="20")
    last.delay("second", 60)
    began(client, "second")
    running.signal(signal.SIGTERM)
    time.sleep(4)
    assert running.popen.poll() is None
    running.signal(signal.SIGTERM)
    stopped(running, SOON)
    assert client.llen(QUEUE) == 1
    nothing_is_held(client)


@pytest.mark.parametrize("profile", ["io", "compute"])
def test_sigquit_is_heeded_at_once(worker: Worker, client: Any, profile: str) -> None:
    running = worker(profile)
    last.delay("quit", 60)
    began(client, "quit")
    os.killpg(running.pid, signal.SIGQUIT)  # as Ctrl-\ sends it
    stopped(running, SOON)
    assert client.llen(QUEUE) == 1
    nothing_is_held(client)


def test_a_frozen_broker_does_not_hold_up_the_exit(
    worker: Worker, client: Any, server: EmbeddedBroker
) -> None:
    running = worker("compute")
    last.delay("frozen", 60)
    began(client, "frozen")
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        running.signal(signal.SIGTERM)
        stopped(running, IN_TIME)
    finally:
        server.process.send_signal(signal.SIGCONT)


def test_a_main_thread_that_never_returns_does_not_hold_up_the_exit(
    worker: Worker, client: Any
) -> None:
    """A solo worker runs its task in the main thread, and reads no signal meanwhile."""
    running = worker("compute", "-P", "solo")
    last.delay("solo", 60)
    began(client, "solo")
    running.signal(signal.SIGTERM)
    stopped(running, IN_TIME)
