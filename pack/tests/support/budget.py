"""manage.py on a server of the test's own, without a broker."""

import os
import subprocess

from dutiful import env
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import manage


def url(server: Postgres, role: str = "shop") -> str:
    return f"postgres://{role}@127.0.0.1:{server.port}/shop"


def run(database: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        manage(*words),
        cwd=env.ROOT,
        env={**os.environ, "DATABASE_URL": database, "BROKER_URL": "redis://127.0.0.1:1/0", **more},
        capture_output=True,
        text=True,
        timeout=120,
    )
