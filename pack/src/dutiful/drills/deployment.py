"""A system's own broker, run record, client and workers, on free ports, for the time of a drill."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.broker_state import DEAD, QUEUED, locate_tasks
from dutiful.drills.clients.sender import Sender
from dutiful.drills.record.read import RunRecord
from dutiful.drills.supervisor import Supervisor, Worker
from dutiful.drills.systems import System
from dutiful.testing.processes import Running

QUIET = 6.0
"""Seconds without a task's end after which no more is expected, if the broker has no message."""


class Deployment:
    """Everything that one system has in a drill. `ends` closes it."""

    def __init__(self, system: System, folder: Path, ends: ExitStack) -> None:
        self.system = system
        self.folder = folder
        self.ends = ends
        self.broker = ends.enter_context(EmbeddedBroker(folder / "broker"))
        self.record = ends.enter_context(RunRecord(folder / "record"))
        self.environment = {
            "BROKER_URL": self.broker.url,
            "REDIS_URL": "",
            "DRILL_RECORD_URL": self.record.server.url,
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "VAR_DIR": str(folder),
            "ENVIRONMENT": "test",
            "SENTRY_DSN": "",
            "ERROR_TRACKER": "",
            # Stock Celery runs without Django: it has less to import, so it starts sooner.
            "DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings" if system.is_ours else "",
        }
        self.supervisor = Supervisor(self._start)
        ends.callback(self.supervisor.stop)
        self._sender: Sender | None = None
        self.holds_unacked = False
        """Whether a dead worker's messages stay unacknowledged for longer than any drill."""

    def shorten(self, lease: int, visibility: float, stock_too: bool = False) -> None:
        """Sets our lease and tuned Celery's visibility timeout, in seconds.

        Call it before anything starts. Stock Celery keeps its hour unless `stock_too` is true.
        """
        self.environment["LEASE_SECONDS"] = str(lease)
        self.holds_unacked = self.system.name == "stock" and not stock_too
        if self.system.name == "tuned" or stock_too:
            self.environment["DRILL_VISIBILITY_SECONDS"] = str(visibility)

    @property
    def redis(self) -> Any:
        """A new Redis client of the system's broker."""
        return redis.Redis.from_url(
            self.broker.url, decode_responses=True, encoding_errors="replace"
        )

    @property
    def sender(self) -> Sender:
        """The client process. It also knows the task that only the new release has."""
        if self._sender is None:
            self._sender = Sender(
                self.system.app,
                [self.new_release],
                {**os.environ, **self.environment},
                self.folder / "client.log",
            )
            self.ends.callback(self._sender.stop)
        return self._sender

    @property
    def new_release(self) -> str:
        """The module of the task that only the new release has (drill `unknown`)."""
        return f"dutiful.drills.unknown.{'ours' if self.system.is_ours else 'stock'}"

    def start_workers(self, *flags: Sequence[str]) -> list[Worker]:
        """Starts a worker for each of `flags` (default: the system's); waits until ready."""
        workers = [self.supervisor.add(one) for one in flags or self.system.workers]
        assert self.sender
        self.supervisor.wait_ready(*workers)
        return workers

    def _start(self, flags: Sequence[str], name: str) -> Running:
        number = name.partition(".")[0]
        argv = [sys.executable, "-m", "celery", "-A", self.system.app, "worker"]
        argv += ["-l", "INFO", "-n", f"worker{number}@%h", *flags]
        return Running(
            argv,
            self.folder / f"worker-{name}.log",
            {**self.environment, "DRILL_WORKER": name},
        )

    def manage(self, *words: str, **more: str) -> str:
        """Runs `manage.py …` in the system's environment plus `more`; returns its output.

        Raises AssertionError with the output if the command fails.
        """
        ended = subprocess.run(
            [sys.executable, "-m", "django", *words],
            cwd=env.ROOT,
            env={**os.environ, **self.environment, **more},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def wait_until_done(self, sent: int, seconds: float, quiet: float = QUIET) -> None:
        """Waits until `sent` tasks have ended or no more can end, at most `seconds`.

        `quiet` (seconds) must be longer than any task runs.
        """
        deadline = time.monotonic() + seconds
        seen, since = -1, time.monotonic()
        while (done := self.record.done()) < sent and time.monotonic() < deadline:
            if done != seen:
                seen, since = done, time.monotonic()
            elif time.monotonic() - since > quiet:
                with self.redis as client:
                    places = set(locate_tasks(client).values())
                if not places - {DEAD} or (self.holds_unacked and QUEUED not in places):
                    return
                since = time.monotonic()
            time.sleep(0.1)

    def report(self, progress: str) -> None:
        """Prints the progress to stderr."""
        print(f"  {self.system.name}: {progress}", file=sys.stderr, flush=True)


@contextmanager
def deployed(system: System, keep: Path | None = None) -> Iterator[Deployment]:
    """Yields a new deployment. Its logs and data stay in the folder `keep`, if given.

    Raises FileExistsError if `keep` already has the data of this system.
    """
    with ExitStack() as ends:
        if keep is None:
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="drill-")))
        else:
            folder = keep / system.name
            folder.mkdir(parents=True)  # an old record would be counted again
        yield Deployment(system, folder, ends)
