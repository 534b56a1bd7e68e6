"""A process of monitoring in a project of the test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker


def process(
    folder: Path, broker: EmbeddedBroker, settings: str, *words: str, **more: str
) -> dict[str, Any]:
    """What `tests.support.own_process WORDS` prints, on a new SQLite database in `folder`."""
    folder.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings,
        "BROKER_URL": broker.url,
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "STATUS_PUBLIC": "1",
        **more,
    }
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.own_process", *words],
        cwd=env.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found
