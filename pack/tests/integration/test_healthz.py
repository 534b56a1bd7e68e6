"""/healthz/ as a load balancer asks it: over HTTP, with servers that are away or frozen."""

import json
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.testing.processes import Running, celery, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[[str], tuple[int, dict[str, Any]]]


@pytest.fixture
def web(start: Callable[..., Running]) -> Callable[..., Ask]:
    """`web(BROKER_URL=…)`: a gunicorn, and how to ask it."""

    def run(**environment: str) -> Ask:
        port = free_port()
        words = [
            "-m",
            "gunicorn",
            "dutiful.drills.host.wsgi",
            "--worker-class",
            "gthread",
            "--threads",
            "4",
        ]
        bind = ["--bind", f"127.0.0.1:{port}", "--no-control-socket", "--preload"]
        server = start([sys.executable, *words, *bind], environment)

        def ask(path: str) -> tuple[int, dict[str, Any]]:
            try:
                url = f"http://127.0.0.1:{port}/healthz/{path}"
                with urllib.request.urlopen(url, timeout=20) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                return error.code, json.load(error)

        def up() -> bool:
            try:
                return ask("live")[0] == 200
            except OSError:
                assert server.popen.poll() is None, server.log
                return False

        wait_for("web", up)
        return ask

    return run


@pytest.fixture
def own(tmp_path: Path) -> Any:
    with EmbeddedBroker(tmp_path / "own") as running:
        yield running


def test_where_all_is_well(
    web: Callable[..., Ask], own: EmbeddedBroker, start: Callable[..., Running]
) -> None:
    beat = start(celery("beat"), {"BROKER_URL": own.url})
    beat.wait_for_log("this beat leads")
    ask = web(BROKER_URL=own.url)
    assert ask("live") == (200, {"status": "ok"})
    assert ask("ready") == (200, {"status": "ok", "database": "ok", "broker": "ok"})
    wait_for("beat", lambda: ask("beat")[0] == 200)
    assert ask("beat")[1] == {"status": "ok", "reasons": [], "leader": True}
    code, body = ask("queues")
    assert (code, body["status"]) == (200, "ok")
    assert body["queues"]["urgent_fast"] == {"depth": 0, "oldest_seconds": None}
    assert ask("ready/")[0] == 200


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_without_the_broker_requests_are_served_and_queues_are_not_well(
    web: Callable[..., Ask], own: EmbeddedBroker, how: str
) -> None:
    ask = web(BROKER_URL=own.url)
    assert ask("ready")[0] == 200
    assert own.process is not None
    if how == "killed":
        own.kill()
    else:
        own.process.send_signal(signal.SIGSTOP)
    time.sleep(1.1)  # an answer is good for a second
    for path, code, status in (
        ("live", 200, "ok"),
        ("ready", 200, "degraded"),  # the outbox takes what is enqueued
        ("queues", 503, "fail"),
        ("beat", 503, "fail"),
    ):
        began = time.monotonic()
        found, body = ask(path)
        assert (found, body["status"]) == (code, status), body
        assert time.monotonic() - began < 6
    if how == "frozen":
        own.process.send_signal(signal.SIGCONT)
        wait_for("the broker again", lambda: ask("ready")[1]["status"] == "ok")


def test_without_the_database_web_is_not_ready(
    web: Callable[..., Ask], own: EmbeddedBroker
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        for port in (free_port(), deaf.getsockname()[1]):
            ask = web(BROKER_URL=own.url, DATABASE_URL=f"postgres://u@127.0.0.1:{port}/d")
            for path, code in (("live", 200), ("ready", 503), ("beat", 503), ("queues", 200)):
                for _ in range(2):
                    began = time.monotonic()
                    assert ask(path)[0] == code, path
                    assert time.monotonic() - began < 6


def test_strangers_learn_the_status_and_no_more(
    web: Callable[..., Ask], own: EmbeddedBroker
) -> None:
    ask = web(BROKER_URL=own.url, HEALTHZ_NAMES="0", DATABASE_URL="postgres://u@127.0.0.1:1/d")
    assert ask("ready") == (503, {"status": "fail"})
    assert ask("beat") == (503, {"status": "fail"})
    assert ask("queues") == (200, {"status": "ok"})


def test_a_queue_that_nobody_serves(
    web: Callable[..., Ask], own: EmbeddedBroker, start: Callable[..., Running]
) -> None:
    ask = web(BROKER_URL=own.url)
    old = {"headers": {"enqueued_at": time.time() - 90}, "properties": {}, "body": ""}
    with redis.Redis.from_url(own.url) as client:
        client.lpush("urgent_fast", json.dumps(old))
    wait_for("503", lambda: ask("queues")[0] == 503)
    body = ask("queues")[1]
    assert any("no worker consumes it" in reason for reason in body["reasons"])
    assert any("promised are 5 s" in reason for reason in body["reasons"])


def test_a_rabbitmq_that_is_away_is_told_as_such(
    web: Callable[..., Ask], own: EmbeddedBroker
) -> None:
    ask = web(BROKER_URL=f"amqp://127.0.0.1:{free_port()}", REDIS_URL=own.url)
    assert ask("ready")[1]["status"] == "degraded"
    code, body = ask("queues")
    assert code == 503
    assert "is no Redis" not in str(body)
