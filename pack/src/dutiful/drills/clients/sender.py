"""Controls a `publish` process: sends numbered tasks and waits until they are sent."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dutiful import env


class Sender:
    """One client process of a system, which logs to `log`. End it with `stop()`."""

    def __init__(
        self,
        app: str,
        modules: Iterable[str],
        environment: Mapping[str, str],
        log: Path,
        program: str = "dutiful.drills.clients.publish",
    ) -> None:
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", program, app, *modules],
                cwd=env.ROOT,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                start_new_session=True,
            )
        self.log_file = log
        self._expect("ready")

    def send(self, task: str, rows: Mapping[int, tuple[Any, ...]], **options: Any) -> None:
        """Sends tasks: number -> arguments after `number` and `sent`. Returns when all are sent."""
        self.send_each((task, number, rest, options) for number, rest in rows.items())

    def send_each(self, rows: Iterable[tuple[str, int, tuple[Any, ...], dict[str, Any]]]) -> None:
        """Sends tasks in one request, each with its own options."""
        self.begin(rows)
        self.finish()

    def begin(self, rows: Iterable[tuple[str, int, tuple[Any, ...], dict[str, Any]]]) -> None:
        """Does the same without waiting. Call `finish` before the next."""
        self.batch = list(rows)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(self.batch) + "\n")
        self.process.stdin.flush()

    def finish(self) -> None:
        """Waits until the tasks of `begin` are sent."""
        self._expect(str(len(self.batch)))

    def _expect(self, wanted: str) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line == wanted, (
            f"the client printed {line!r}, not {wanted!r}:\n{self.log_file.read_text()}"
        )

    def stop(self) -> None:
        """Kills the process."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.kill()
        self.process.wait()
