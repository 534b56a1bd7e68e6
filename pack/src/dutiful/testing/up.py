"""`python -m dutiful.dev.up` for tests, in a folder and on ports of its own."""

import os
import subprocess
import sys
from pathlib import Path

from dutiful import env
from dutiful.dev.embedded import free_port

COMMAND = [sys.executable, "-m", "dutiful.dev.up"]


def settings(var: Path) -> dict[str, str]:
    """The environment of the default set-up, in the folder `var` and on free ports."""
    return {
        "ENVIRONMENT": "development",
        "VAR_DIR": str(var),
        "DATABASE_URL": f"sqlite:///{var.resolve()}/db.sqlite3",
        "BROKER_URL": "",
        "REDIS_URL": "",
        "EMAIL_URL": "",
        "PORT": str(free_port()),
        "FLOWER_PORT": str(free_port()),
        "BROKER_PORT": str(free_port()),
    }


def refused(changes: dict[str, str], var: Path, root: Path = env.ROOT) -> str:
    """The line that `make up` prints if it refuses to start. Asserts one line and exit code 1."""
    done = subprocess.run(
        COMMAND,
        cwd=root,
        env={**os.environ, **settings(var), **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )
    output = (done.stdout + done.stderr).strip()
    assert done.returncode == 1, output
    assert "\n" not in output
    return output
