"""Controls a `requests` process, the simulated web process of a system."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dutiful import env
from dutiful.drills.deployment import Deployment


class Web:
    """A web process. `command(…)` starts something, `answer()` waits for its result."""

    def __init__(self, deployment: Deployment, environment: Mapping[str, str]) -> None:
        self.log_file = deployment.folder / "web.log"
        with self.log_file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dutiful.drills.clients.requests", deployment.system.app],
                cwd=env.ROOT,
                env={**os.environ, **deployment.environment, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                start_new_session=True,
            )
        assert self.answer() == "ready"

    def command(self, **command: Any) -> None:
        """Sends one command: its name and its arguments."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """Returns the next result. Raises AssertionError with the log if the process has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the web process ended:\n{self.log_file.read_text()}"
        return json.loads(line)

    def stop(self) -> None:
        """Kills the process."""
        self.process.kill()
        self.process.communicate()


@contextmanager
def web(deployment: Deployment, **environment: str) -> Iterator[Web]:
    """Yields a web process; ours has its database tables."""
    if deployment.system.is_ours:
        deployment.manage("migrate", "-v0")
    one = Web(deployment, environment)
    try:
        yield one
    finally:
        one.stop()
