"""The Procfile's lines, and how many connections to the broker each takes.

Counted on a running server (`CLIENT LIST`) with Redis as the broker; a test counts them again.
"""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from honcho.environ import parse_procfile

from dutiful.catalogue.process import after, kind, profile
from dutiful.catalogue.profiles import Profile, ProfileError
from dutiful.worker.deployment.model import Process

WORKER: Final = 15
"""Of a worker's main process: claims, bells, events, remote control, lease, gossip, counters."""
BEAT: Final = 8
"""Its lease, its publishes, its events, the outbox's relay, the history."""
MONITOR: Final = 10
"""Its looks, its lease, its copies."""
LOOKER: Final = 2
"""Of a web process: counters and looks, for /metrics, /healthz/ and /status/."""
FLOWER: Final = 21
FLOWER_MOST: Final = 33
"""Ten connections of Celery's pool, its events', and what each opens to ask and to listen."""
PUBLISHER: Final = 2
"""Of each thread or pool child that publishes."""


@dataclass(frozen=True)
class Line:
    """One line, and how many processes of it run."""

    name: str
    words: tuple[str, ...]
    count: int
    profiles: tuple[Profile, ...]
    """The shapes of this deployment's workers."""

    @cached_property
    def kind(self) -> str:
        return kind(self.words, self.profiles)

    @cached_property
    def shape(self) -> tuple[str, int]:
        """A worker's pool and slots: its profile's, where its flags say nothing else.

        Raises ProfileError where they name none.
        """
        found = profile(self.words, self.profiles)
        if found is None:
            raise ProfileError(f"{self.name} of the Procfile serves no profile: {self.words}")
        slots = after(self.words, "-c", "--concurrency", default=str(found.slots))
        return after(self.words, "-P", "--pool", default=found.pool), int(slots)

    @property
    def threads(self) -> int:
        """Of one of gunicorn's processes."""
        return int(after(self.words, "--threads", default="1"))

    @property
    def copies(self) -> int:
        """gunicorn's processes. Heroku sets WEB_CONCURRENCY by the size of the dyno."""
        told = os.environ.get("WEB_CONCURRENCY", "")
        return int(after(self.words, "-w", "--workers", default=told if told.isdigit() else "1"))


def lines(
    root: Path,
    *,
    profiles: tuple[Profile, ...],
    heroku: bool = False,
    scale: Mapping[str, int] | None = None,
) -> tuple[Line, ...]:
    """All but `release`; empty where `root` has no Procfile.

    `scale` says how many of each run: one, or on Heroku what app.json says.
    """
    file = root / "Procfile"
    if not file.is_file():
        return ()
    counts = {**(_formation(root) if heroku else {}), **(scale or {})}
    found: dict[str, str] = parse_procfile(file.read_text()).processes
    return tuple(
        Line(name, tuple(shlex.split(line)), counts.get(name, 1), profiles)
        for name, line in found.items()
        if name != "release"
    )


def processes(
    found: Sequence[Line], *, publishers: int, keeps_results: bool
) -> tuple[Process, ...]:
    """`publishers` is how many threads of a process publish at once (broker_pool_limit)."""
    return tuple(
        Process(line.name, line.count, *of_broker(line, publishers, keeps_results))
        for line in found
    )


def of_broker(line: Line, publishers: int, keeps_results: bool) -> tuple[int, int]:
    """Connections of a process to the broker: idle, and at most."""
    if line.kind == "web":
        busy = PUBLISHER * min(line.threads, publishers)
        return line.copies * (PUBLISHER + LOOKER), line.copies * (busy + LOOKER)
    if line.kind.startswith("worker"):
        pool, slots = line.shape
        # A child of a prefork pool has its own; threads share theirs.
        busy = slots if pool == "prefork" else min(slots, publishers)
        return WORKER, WORKER + busy * PUBLISHER + slots * keeps_results
    return {
        "beat": (BEAT, BEAT),
        "monitor": (MONITOR, MONITOR),
        "flower": (FLOWER, FLOWER_MOST),
    }.get(line.kind, (0, 0))


def _formation(root: Path) -> dict[str, int]:
    """What app.json has Heroku start. Scaling later is Heroku's knowledge: see `scale`."""
    file = root / "app.json"
    told: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return {name: int(part["quantity"]) for name, part in told.get("formation", {}).items()}
