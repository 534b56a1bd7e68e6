"""`python -m dutiful.dev.up` for tests: a folder and ports of its own."""

import os
import subprocess
import sys
from pathlib import Path

from dutiful import env
from dutiful.dev.embedded import free_port

COMMAND = [sys.executable, "-m", "dutiful.dev.up"]


def settings(var: Path) -> dict[str, str]:
    """The default set-up in a folder and on ports of its own."""
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
    """What `make up` says when it does not start: one line on stderr, code 1."""
    done = subprocess.run(
        COMMAND,
        cwd=root,
        env={**os.environ, **settings(var), **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 1, said
    assert "\n" not in said
    return said
