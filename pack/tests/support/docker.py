"""The container engine's command line."""

import os
import shutil
import subprocess
from pathlib import Path

# The oldest builder does for our Dockerfile, and asks no image registry.
ENVIRONMENT = {"DOCKER_BUILDKIT": "0"}


def run(*words: str, cwd: Path | None = None, seconds: float = 900) -> str:
    """`docker …`. Its stdout; raises AssertionError with all it said when it fails."""
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
    """Why there is no engine, or ""."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    asked = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    return "" if asked.returncode == 0 else "no docker engine answers (docker info)"
