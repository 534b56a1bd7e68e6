"""Flower as anyone starts it: closed, or not at all."""

import re
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.result import AsyncResult
from flower.urls import handlers

from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, celery, wait_for
from tests.support import jobs

Start = Callable[..., Running]
LOGIN = "demo:a-long-password"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "for-this-test-only-" * 4,
    "ALLOWED_HOSTS": "127.0.0.1",
    "DEBUG": "0",
    "FLOWER_BASIC_AUTH": "",
}


def ask(port: int, path: str, login: str = "", method: str = "GET") -> tuple[int, str]:
    headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}
    data = b"" if method == "POST" else None
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def flower(start: Start, broker: EmbeddedBroker) -> tuple[Running, int]:
    port = free_port()
    environment = PRODUCTION | {"FLOWER_BASIC_AUTH": LOGIN}
    process = start(celery("flower", f"--port={port}"), environment)
    process.wait_for_log("Visit me at")
    wait_for("Flower", lambda: ask(port, "/healthcheck", LOGIN)[0] == 200)
    return process, port


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.mark.parametrize("flags", [(), ("--address=0.0.0.0",), ("--basic_auth=demo:demo",)])
def test_production_without_a_login_does_not_start(
    start: Start, broker: EmbeddedBroker, flags: tuple[str, ...]
) -> None:
    process = start(celery("flower", f"--port={free_port()}", *flags), PRODUCTION)
    assert process.wait() == 1
    (line,) = process.log.splitlines()
    assert line.startswith("flower does not start: ")
    assert "FLOWER_BASIC_AUTH" in line


def test_every_page_asks_for_the_login(flower: tuple[Running, int]) -> None:
    _, port = flower
    public = re.compile(r"/static/|/login|/logout|\.\*")
    patterns = [h.regex.pattern.rstrip("$") if hasattr(h, "regex") else h[0] for h in handlers]
    paths = [re.sub(r"\(\.[+*]\)", "x", p) for p in patterns if not public.match(p)]
    assert {"/", "/metrics", "/healthcheck", "/api/workers"} <= set(paths)
    for path in paths:
        answers = {ask(port, path)[0], ask(port, path, method="POST")[0]}
        # 405: the page does not know the method.
        assert 401 in answers <= {401, 405}, (path, answers)
        assert ask(port, path, "demo:wrong")[0] in {401, 405}, path
    for path in ("/", "/metrics", "/healthcheck", "/api/workers"):
        assert ask(port, path, LOGIN)[0] == 200, path


@on_linux
def test_it_listens_on_the_loopback(flower: tuple[Running, int]) -> None:
    process, port = flower
    found = listening_on(process.pid, port)
    assert found == {"0100007F"}  # 127.0.0.1, as the kernel writes it


def listening_on(pid: int, port: int) -> set[str]:
    """The addresses on which anyone listens on this port."""
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == "0A":
                listening.add(address)
    return listening


def test_it_shows_a_worker_and_a_task_that_ran(
    flower: tuple[Running, int], start_worker: StartWorker
) -> None:
    _, port = flower
    start_worker("-Q", "urgent_fast", "-I", "tests.support.jobs", "-n", "seen@here")
    wait_for("the worker", lambda: "seen@here" in ask(port, "/workers?refresh=1", LOGIN)[1])
    sent: AsyncResult[str] = jobs.say.delay("hello")

    def ran() -> bool:
        status, page = ask(port, f"/task/{sent.id}", LOGIN)
        return status == 200 and "SUCCESS" in page

    wait_for("the task", ran)


@on_linux
def test_development_is_open_to_this_machine_alone(start: Start, broker: EmbeddedBroker) -> None:
    port = free_port()
    development = {"ENVIRONMENT": "development", "FLOWER_BASIC_AUTH": ""}
    process = start(celery("flower", f"--port={port}"), development)
    process.wait_for_log("Visit me at")
    assert wait_for("Flower", lambda: ask(port, "/healthcheck")[0] == 200)
    assert listening_on(process.pid, port) == {"0100007F"}
    refused = start(celery("flower", f"--port={free_port()}", "--address=0.0.0.0"), development)
    assert refused.wait() == 1
    assert "there is no login" in refused.log
