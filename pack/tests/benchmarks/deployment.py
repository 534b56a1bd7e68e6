"""One system with a new broker, a record of its own, and processes that end with it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, wait_for
from tests.benchmarks import record
from tests.benchmarks.systems import SLOTS, System

DEADLINE: Final = 300
"""Seconds that one step of one system may take before it counts as stuck."""


class Deployment:
    """A system, its broker and its processes. `runs` is the file or pipe of the record."""

    def __init__(self, system: System, pool: str, broker: EmbeddedBroker, folder: Path) -> None:
        self.system = system
        self.pool = pool
        self.broker = broker
        self.folder = folder
        self.runs = folder / "runs"
        self.processes: list[Running] = []

    def start(self, *words: str) -> Running:
        """Starts `python -m …` in the system's environment."""
        log = self.folder / f"{len(self.processes)}.log"
        self.processes.append(Running([sys.executable, "-m", *words], log, self.environment))
        return self.processes[-1]

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of its processes."""
        return {
            "BROKER_URL": self.broker.url,
            "DATABASE_URL": f"sqlite:///{self.folder / 'db.sqlite3'}",
            "BENCH_RECORD": str(self.runs),
            **self.system.environment,
        }

    def start_worker(self) -> Running:
        """Starts the system's worker."""
        slots = SLOTS[self.pool]
        return self.start(*self.system.worker(self.pool, slots, self.broker.url))

    def publish(self, count: int) -> None:
        """Publishes a backlog of `count`. Raises AssertionError with the publisher's log."""
        process = self.start(*self._publisher("send", count))
        if process.wait(DEADLINE) != 0:
            raise AssertionError(f"{self.system.name} does not publish\n{process.log}")

    def turns(self, command: str, amount: int) -> "Turns":
        """Returns a publisher that measures one block at each request."""
        return Turns([sys.executable, "-m", *self._publisher(command, amount)], self)

    def _publisher(self, command: str, amount: int) -> list[str]:
        module = self.system.module
        return ["tests.benchmarks.publisher", module, self.pool, command, str(amount)]

    def wait_for_runs(self, count: int, worker: Running) -> None:
        """Waits until `count` tasks ran. Raises AssertionError with the worker's last lines."""

        def done() -> bool:
            if worker.popen.poll() is not None:
                raise AssertionError(f"its worker ended with {worker.popen.returncode}")
            return record.count(self.runs) >= count

        try:
            wait_for(f"{count} runs", done, DEADLINE)
        except AssertionError as error:
            ran = record.count(self.runs)
            raise AssertionError(
                f"{self.system.name}: {error}; {ran} ran\n{worker.log[-2000:]}"
            ) from None

    def stop(self) -> None:
        """Ends its processes."""
        for process in reversed(self.processes):
            process.stop(3)


@contextmanager
def deployed(system: System, pool: str) -> Iterator[Deployment]:
    """Yields the system with a new broker and an empty record."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        broker = ends.enter_context(EmbeddedBroker(folder / "broker"))
        found = Deployment(system, pool, broker, folder)
        ends.callback(found.stop)
        yield found


class Turns:
    """A process that measures one block for each line on stdin and prints a list of figures."""

    def __init__(self, argv: list[str], here: Deployment) -> None:
        self.log = here.folder / "turns.log"
        with self.log.open("wb") as errors:
            self.popen = subprocess.Popen(
                argv,
                cwd=env.ROOT,
                env={**os.environ, **here.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._answer()

    def take(self) -> list[float]:
        """Measures one block; returns its figures."""
        assert self.popen.stdin is not None
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()
        found: list[float] = self._answer()
        return found

    def _answer(self) -> Any:
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            raise AssertionError(f"a publisher ended\n{self.log.read_text()}")
        return json.loads(line)

    def __enter__(self) -> "Turns":
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate()
