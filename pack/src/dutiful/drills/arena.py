"""A contender's own broker, record, client and workers, on free ports, ended with the drill."""

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
from dutiful.drills.census import DEAD, QUEUED, census
from dutiful.drills.contenders import Contender
from dutiful.drills.crew import Crew, Post
from dutiful.drills.ledger import Ledger
from dutiful.drills.sender import Sender
from dutiful.testing.processes import Running

QUIET = 6.0
"""Seconds without news after which no more is to come, if nothing waits in the broker."""


class Arena:
    """Everything that one contender has in a drill."""

    def __init__(self, contender: Contender, folder: Path, ends: ExitStack) -> None:
        self.contender = contender
        self.folder = folder
        self.ends = ends
        self.broker = ends.enter_context(EmbeddedBroker(folder / "broker"))
        self.ledger = ends.enter_context(Ledger(folder / "record"))
        self.environment = {
            "BROKER_URL": self.broker.url,
            "REDIS_URL": "",
            "DRILL_RECORD_URL": self.ledger.server.url,
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "VAR_DIR": str(folder),
            "ENVIRONMENT": "test",
            "SENTRY_DSN": "",
            "ERROR_TRACKER": "",
            # Stock Celery runs without Django: it has less to import, so it starts sooner.
            "DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings" if contender.is_ours else "",
        }
        self.crew = Crew(self._start)
        ends.callback(self.crew.stop)
        self._sender: Sender | None = None
        self.for_an_hour = False
        """Whether what a dead worker held stays where it is for longer than any drill."""

    def shorten(self, lease: int, visibility: float, stock_too: bool = False) -> None:
        """Seconds of our lease and of tuned Celery's visibility timeout. Before anything starts.

        Stock Celery keeps its hour, unless the drill is about what happens after it.
        """
        self.environment["LEASE_SECONDS"] = str(lease)
        self.for_an_hour = self.contender.name == "stock" and not stock_too
        if self.contender.name == "tuned" or stock_too:
            self.environment["DRILL_VISIBILITY_SECONDS"] = str(visibility)

    @property
    def redis(self) -> Any:
        return redis.Redis.from_url(
            self.broker.url, decode_responses=True, encoding_errors="replace"
        )

    @property
    def sender(self) -> Sender:
        """The client; it knows the new release's task too."""
        if self._sender is None:
            self._sender = Sender(
                self.contender.app,
                [self.newer],
                {**os.environ, **self.environment},
                self.folder / "client.log",
            )
            self.ends.callback(self._sender.stop)
        return self._sender

    @property
    def newer(self) -> str:
        """The module that only the new release has."""
        return "dutiful.drills.newer" if self.contender.is_ours else "dutiful.drills.stock_newer"

    def start_workers(self, *workers: Sequence[str]) -> list[Post]:
        """The contender's workers, or these. Returns when they and the client are ready."""
        posts = [self.crew.add(words) for words in workers or self.contender.workers]
        assert self.sender
        self.crew.wait_ready(*posts)
        return posts

    def _start(self, words: Sequence[str], name: str) -> Running:
        post = name.partition(".")[0]
        argv = [sys.executable, "-m", "celery", "-A", self.contender.app, "worker"]
        argv += ["-l", "INFO", "-n", f"worker{post}@%h", *words]
        return Running(
            argv,
            self.folder / f"worker-{name}.log",
            {**self.environment, "DRILL_WORKER": name},
        )

    def manage(self, *words: str, **more: str) -> str:
        """What `manage.py …` prints, with the contender's environment and `more`."""
        ended = subprocess.run(
            [sys.executable, "-m", "django", *words],
            cwd=env.ROOT,
            env={**os.environ, **self.environment, **more},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def settle(self, sent: int, seconds: float, quiet: float = QUIET) -> None:
        """Waits until all have ended, or nothing more can come, at most `seconds`.

        `quiet` is longer than any task runs.
        """
        deadline = time.monotonic() + seconds
        seen, since = -1, time.monotonic()
        while (done := self.ledger.done()) < sent and time.monotonic() < deadline:
            if done != seen:
                seen, since = done, time.monotonic()
            elif time.monotonic() - since > quiet:
                with self.redis as client:
                    places = set(census(client).values())
                if not places - {DEAD} or (self.for_an_hour and QUEUED not in places):
                    return
                since = time.monotonic()
            time.sleep(0.1)

    def tell(self, what: str) -> None:
        """Progress, for whoever waits."""
        print(f"  {self.contender.name}: {what}", file=sys.stderr, flush=True)


@contextmanager
def arena(contender: Contender, keep: Path | None = None) -> Iterator[Arena]:
    """A fresh arena. `keep` names a folder where its logs and data stay.

    Raises FileExistsError where it has been used before.
    """
    with ExitStack() as ends:
        if keep is None:
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="drill-")))
        else:
            folder = keep / contender.name
            folder.mkdir(parents=True)  # an old record would be counted again
        yield Arena(contender, folder, ends)
