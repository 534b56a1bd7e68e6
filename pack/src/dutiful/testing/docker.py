"""The command line of the container engine, and fixtures: `engine`, `image`, `compose_command`.

A suite loads this with `pytest_plugins`. It may define `docker_root`, the folder with `docker/`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dutiful import env

# The old builder is enough for our Dockerfile, and asks no image registry.
ENVIRONMENT = {"DOCKER_BUILDKIT": "0"}
IMAGE = "reference-deployment:test"


def run(*words: str, cwd: Path | None = None, seconds: float = 900) -> str:
    """Runs `docker …`. Returns its stdout. Raises AssertionError with its output if it fails."""
    return command(["docker", *words], cwd=cwd, seconds=seconds)


def command(
    argv: list[str],
    environment: dict[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 900,
) -> str:
    """As `run`, for another program."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **ENVIRONMENT, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(argv)}:\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
    return done.stdout


def missing() -> str:
    """The reason why there is no engine, or ""."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    asked = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    return "" if asked.returncode == 0 else "no docker engine answers (docker info)"


@pytest.fixture(scope="session")
def docker_root() -> Path:
    """The folder from which the image is built."""
    return env.ROOT


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips without an engine, or fails if CI_TIERS names this tier."""
    why = missing()
    if why and "containers" in os.environ.get("CI_TIERS", ""):
        pytest.fail(f"CI_TIERS asks for containers, and {why}")
    if why:
        pytest.skip(why)


@pytest.fixture(scope="session")
def image(engine: None, docker_root: Path) -> str:
    """The name of the image, built from docker/Dockerfile on the host's network."""
    run("build", "--network", "host", "-t", IMAGE, "-f", "docker/Dockerfile", ".", cwd=docker_root)
    return IMAGE


@pytest.fixture
def compose_command() -> list[str]:
    """`docker compose`, or the older `docker-compose`."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if plugin.returncode == 0 else ["docker-compose"]
