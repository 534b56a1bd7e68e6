"""What every drill shares: three contenders, one broker each, the same scenario, counted alike."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import redis

from broker.embedded import EmbeddedBroker
from drills.processes import Running

RUNS: Final = "drill:runs"
"""Redis list: one entry for each run of a task, written by drills.record."""


@dataclass(frozen=True)
class Contender:
    """One of the three: `stock` Celery, `tuned` (its best settings), `ours`."""

    name: str
    app: str
    """What `celery -A` is given."""
    workers: tuple[tuple[str, ...], ...]
    """The words after `worker`, for each worker that is started."""


@dataclass
class Counts:
    """What became of a contender's tasks. Times are in seconds."""

    sent: int = 0
    run: int = 0
    lost: int = 0
    twice: int = 0
    recovery_seconds: float | None = None
    measured: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Drill:
    """A promise and the scenario that tests it. `play(contender, arena, quick)` counts."""

    name: str
    promise: str
    contenders: tuple[Contender, ...]
    play: Callable[["Arena", bool], Counts]
    kept: Callable[[Counts], bool]


class Arena:
    """A contender's broker and workers, on free ports, ended with the drill."""

    def __init__(self, contender: Contender, broker: EmbeddedBroker, folder: Path) -> None:
        self.contender = contender
        self.broker = broker
        self.folder = folder
        self.environment = {
            "BROKER_URL": broker.url,
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "ENVIRONMENT": "test",
            "SENTRY_DSN": "",
        }
        self.workers: list[Running] = []

    @property
    def redis(self) -> Any:
        return redis.Redis.from_url(self.broker.url, decode_responses=True)

    def run(self, *words: str) -> Running:
        """A Python process of this contender."""
        log = self.folder / f"{len(self.workers)}-{words[-1].replace('/', '-')}.log"
        process = Running([sys.executable, *words], log, self.environment)
        self.workers.append(process)
        return process

    def start_workers(self) -> None:
        started = [
            self.run("-m", "celery", "-A", self.contender.app, "worker", "-l", "INFO", *words)
            for words in self.contender.workers
        ]
        for worker in started:
            worker.wait_for_log(" ready.")

    def stop(self) -> None:
        for process in reversed(self.workers):
            process.stop(5)


@contextmanager
def arena(contender: Contender) -> Iterator[Arena]:
    """A fresh broker and an empty database for one contender."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="drill-")))
        broker = ends.enter_context(EmbeddedBroker(folder / "broker"))
        place = Arena(contender, broker, folder)
        ends.callback(place.stop)
        yield place


def as_json(drill: Drill, counts: dict[str, Counts], kept: bool, seconds: float) -> dict[str, Any]:
    """One object: drill, promise, kept, seconds, and each contender's counts."""
    found: dict[str, Any] = {
        "drill": drill.name,
        "promise": drill.promise,
        "kept": kept,
        "seconds": round(seconds, 1),
    }
    for name, count in counts.items():
        flat = asdict(count)
        found[name] = flat | flat.pop("measured")
    return found
