"""docker/compose.yaml: comes up, works, and asks for what it needs."""

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from dutiful.catalogue import defaults
from dutiful.dev.embedded import free_port
from dutiful.testing.docker import command, run
from dutiful.testing.processes import wait_for
from tests.support.visitor import status
from tests.template import ROOT

pytestmark = pytest.mark.timeout(900)
LOGIN = "demo:a-long-password"
SEND = """
from datetime import UTC, datetime
from project.celery import app
for queue in ("urgent_fast", "average_slow_compute"):
    now = datetime.now(UTC).isoformat()
    print(app.send_task("dutiful.beat.heartbeat", queue=queue, headers={"scheduled_at": now}).id)
"""
Compose = Callable[..., str]


@pytest.fixture
def given(image: str) -> dict[str, str]:
    return {
        "IMAGE": image,
        "SECRET_KEY": "for-this-test-only-" * 4,
        "POSTGRES_PASSWORD": "for-this-test-only",
        "FLOWER_BASIC_AUTH": LOGIN,
        "WEB_PORT": str(free_port()),
        "FLOWER_PORT": str(free_port()),
    }


@pytest.fixture
def compose(compose_command: list[str], given: dict[str, str]) -> Iterator[Compose]:
    project = f"deployment-test-{uuid.uuid4().hex[:8]}"
    base = [*compose_command, "-p", project, "-f", "docker/compose.yaml"]

    def composed(*words: str) -> str:
        return command([*base, *words], given, cwd=ROOT)

    yield composed
    composed("down", "--volumes", "--timeout", "30")


def test_it_comes_up_and_both_workers_work(compose: Compose, given: dict[str, str]) -> None:
    compose("up", "--detach", "--no-build")
    site, flower = (f"http://127.0.0.1:{given[port]}" for port in ("WEB_PORT", "FLOWER_PORT"))
    wait_for("web", lambda: status(f"{site}/") == 200)
    wait_for("Flower", lambda: status(f"{flower}/metrics", LOGIN) == 200)
    for path in ("/", "/metrics", "/healthcheck"):
        assert status(flower + path) == 401

    shell = ("exec", "-T", "web", "python", "manage.py", "shell", "-v0", "-c")
    urgent, computing = compose(*shell, SEND).split()
    for worker, task_id in (("worker_io", urgent), ("worker_compute", computing)):

        def ran(worker: str = worker, task_id: str = task_id) -> bool:
            logged = compose("logs", "--no-color", worker).splitlines()
            lines = [line.partition("| ")[2] for line in logged if task_id in line]
            return any(json.loads(line).get("state") == "success" for line in lines)

        wait_for(f"a task on {worker}", ran)
    for profile in (defaults.IO, defaults.COMPUTE):
        container = compose("ps", "--quiet", f"worker_{profile.name}").strip()
        assert run("inspect", "-f", "{{.HostConfig.Memory}}", container) == f"{profile.memory}\n"

        def healthy(container: str = container) -> bool:
            return run("inspect", "-f", "{{.State.Health.Status}}", container) == "healthy\n"

        wait_for(f"{profile.name}'s probe", healthy)


def test_what_is_shared_is_written_by_one_and_read_by_the_other(
    compose: Compose, given: dict[str, str]
) -> None:
    compose("up", "--detach", "--no-build", "web", "worker_io")
    compose("exec", "-T", "web", "sh", "-c", "echo seen > /data/files/note")
    assert compose("exec", "-T", "worker_io", "cat", "/data/files/note").strip() == "seen"


@pytest.mark.parametrize("name", ["SECRET_KEY", "POSTGRES_PASSWORD", "FLOWER_BASIC_AUTH"])
def test_what_is_missing_is_named(
    compose_command: list[str], given: dict[str, str], name: str
) -> None:
    done = subprocess.run(
        [*compose_command, "-f", "docker/compose.yaml", "config"],
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **given, name: ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert name in done.stderr
