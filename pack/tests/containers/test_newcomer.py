"""A clean clone on a bare Debian that has python3, python3-venv, make and git, as its README says.

The machine's network: `make up` installs from where this machine does.
"""

import re
import subprocess
from collections.abc import Iterator

import pytest

from dutiful.dev.embedded import free_port
from dutiful.testing.docker import run
from dutiful.testing.processes import wait_for
from tests.support.visitor import Visitor, link, status
from tests.template import ROOT

pytestmark = pytest.mark.timeout(1200)
IMAGE = "reference-deployment-newcomer"
DOCKERFILE = """
FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends python3 python3-venv make git \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --shell /bin/bash newcomer
USER newcomer
WORKDIR /home/newcomer
# The repository is mounted, and belongs to another user there.
RUN git config --global --add safe.directory '*'
"""


class Machine:
    """A container with a clone of this repository's last commit."""

    def __init__(self) -> None:
        subprocess.run(
            ["docker", "build", "--quiet", "--network", "host", "-t", IMAGE, "-"],
            input=DOCKERFILE.encode(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        self.ports = {name: free_port() for name in ("PORT", "FLOWER_PORT", "BROKER_PORT")}
        given = [f"--env={name}={port}" for name, port in self.ports.items()]
        mount = f"--volume={ROOT}:/repository:ro"
        words = ("run", "--detach", "--init", "--network", "host", *given, mount, IMAGE)
        self.container = run(*words, "sleep", "infinity").strip()

    def shell(self, line: str, seconds: float = 900) -> str:
        return run("exec", self.container, "sh", "-c", line, seconds=seconds)

    def start(self, line: str) -> None:
        run("exec", "--detach", self.container, "sh", "-c", line)

    def remove(self) -> None:
        run("rm", "--force", self.container)


@pytest.fixture
def machine(engine: None) -> Iterator[Machine]:
    machine = Machine()
    try:
        machine.shell("git clone --quiet file:///repository deployment")
        yield machine
    finally:
        machine.remove()


def test_make_up_and_three_jobs(machine: Machine) -> None:
    machine.start("cd deployment && exec make up >../log 2>&1")

    def table() -> str:
        log = machine.shell("cat log 2>/dev/null || true")
        assert not re.search(r"^(make up|setup|make): ", log, re.MULTILINE), log
        return log if "Next: `make drill`" in log else ""

    told = wait_for("the table", table, 400)
    site = f"http://127.0.0.1:{machine.ports['PORT']}"
    assert f"Open {site}" in told
    visitor = Visitor(site)
    assert visitor.page("/").count("<form") == 4

    visitor.press("/examples/mail/", email="ada@example.com")
    visitor.finished()
    letter = visitor.page(link(visitor.page("/examples/mailbox/"), r'/examples/mailbox/[^/"]+/'))
    assert "ada@example.com" in letter
    assert "Confirmed" in visitor.press(link(letter, "/examples/mail/confirm/"))

    visitor.press("/examples/export/")
    csv = visitor.read(link(visitor.finished(), "/download/"))
    assert len(csv.splitlines()) == 200_001

    visitor.press("/examples/photo/")
    assert "960 by 640 pixels" in visitor.finished()

    flower = f"http://127.0.0.1:{machine.ports['FLOWER_PORT']}/workers"
    assert status(flower) == 401
    password = re.search(r"Log in as demo, password (\S+)", told)
    assert password
    assert status(flower, f"demo:{password[1]}") == 200


def test_make_test_passes(machine: Machine) -> None:
    """Its set-up, on a bare machine. `.ci/run` plays all of it beside this one."""
    some = "tests/unit tests/template/test_first_task.py tests/integration/test_worker.py"
    said = machine.shell(
        f"cd deployment && make test ARGS=tests 2>&1 && make -C pack test ARGS='{some}' 2>&1",
        seconds=1100,
    )
    assert re.search(r"\d+ passed", said)
