"""A primary with a replica, and processes that run code for a test."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dutiful import env
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import manage, wait_for
from dutiful.testing.replica import Replica

IMPORTS = "tests.support.replicated"


class Client:
    """One process of `tests.support.replica_client`."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.replica_client"],
            cwd=env.ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        printed, error = json.loads(self.process.stdout.readline())
        assert not error, error
        return str(printed)

    def stop(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.kill()
        self.process.wait()


class World:
    """Two servers of its own, and the session's broker."""

    def __init__(self, folder: Path, primary: Postgres, replica: Replica) -> None:
        self.primary, self.replica = primary, replica
        self.folder, self.file = folder, folder / "seen"
        self._clients: dict[str, Client] = {}

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.primary.url(), "REPLICA_URLS": self.replica.url()}

    def run(self, code: str, **environment: str) -> str:
        """Returns what the code prints. It may use tests.support.replicated and `path`."""
        key = repr(environment)
        if key not in self._clients:
            self._clients[key] = Client({**os.environ, **self.environment, **environment})
            self._clients[key].run(f"path = {str(self.file)!r}")
        return self._clients[key].run(code)

    def lines(self, count: int) -> list[dict[str, Any]]:
        """Waits for so many new lines of the tasks, and returns them."""

        wait_for(f"{count} lines", lambda: len(self.told()) >= count)
        found = self.told()
        self.file.unlink()
        return found

    def told(self) -> list[dict[str, Any]]:
        """The lines so far."""
        text = self.file.read_text() if self.file.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def migrate(self) -> None:
        environment = {**os.environ, **self.environment}
        subprocess.run(manage("migrate", "-v0"), cwd=env.ROOT, env=environment, check=True)

    def stop(self) -> None:
        for client in self._clients.values():
            client.stop()


@contextmanager
def servers() -> Iterator[tuple[Path, Postgres, Replica]]:
    """Both, with a folder of their own: pytest shuts its own to others whenever a session begins,
    and under root the servers are somebody else's."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="replicas-")))
        primary = ends.enter_context(Postgres(folder / "primary"))
        yield folder, primary, ends.enter_context(Replica(folder / "replica", primary))


@contextmanager
def world() -> Iterator[World]:
    with servers() as (folder, primary, replica):
        found = World(folder, primary, replica)
        found.migrate()
        wait_for("the replica", replica.caught_up)
        try:
            yield found
        finally:
            found.stop()
