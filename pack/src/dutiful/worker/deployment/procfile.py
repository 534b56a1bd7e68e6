"""Reads the Procfile: one entry for each kind of process that this deployment runs."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from honcho.environ import parse_procfile

from dutiful.catalogue.process import after, kind, profile
from dutiful.catalogue.profiles import Profile, ProfileError


@dataclass(frozen=True)
class ProcfileEntry:
    """One command of the Procfile."""

    name: str
    arguments: tuple[str, ...]
    """The command, split as a shell does."""
    count: int
    """How many of it run."""
    profiles: tuple[Profile, ...]
    """The worker profiles of this deployment."""

    @cached_property
    def kind(self) -> str:
        """What it is: `web`, `worker_io`, `beat` … (`dutiful.catalogue.process`)."""
        return kind(self.arguments, self.profiles)

    @cached_property
    def profile(self) -> Profile:
        """A worker's profile. Raises ProfileError where its flags select none."""
        found = profile(self.arguments, self.profiles)
        if found is None:
            raise ProfileError(f"{self.name} of the Procfile serves no profile: {self.arguments}")
        return found

    @property
    def pool(self) -> str:
        """A worker's pool: its profile's, unless -P names another. Raises ProfileError."""
        return after(self.arguments, "-P", "--pool", default=self.profile.pool)

    @property
    def slots(self) -> int:
        """A worker's slots: its profile's, unless -c gives another number. Raises ProfileError."""
        return int(after(self.arguments, "-c", "--concurrency", default=str(self.profile.slots)))

    @property
    def web_threads(self) -> int:
        """Threads of each of gunicorn's processes."""
        return int(after(self.arguments, "--threads", default="1"))

    @property
    def web_processes(self) -> int:
        """gunicorn's processes. Heroku sets WEB_CONCURRENCY by the size of the dyno."""
        default = os.environ.get("WEB_CONCURRENCY", "")
        default = default if default.isdigit() else "1"
        return int(after(self.arguments, "-w", "--workers", default=default))


def read(
    root: Path,
    *,
    profiles: tuple[Profile, ...],
    heroku: bool = False,
    scale: Mapping[str, int] | None = None,
) -> tuple[ProcfileEntry, ...]:
    """Returns all entries but `release`; none where `root` has no Procfile.

    `scale` gives the counts by name, as `{"web": 2}`. Without it each entry runs once, or on Heroku
    as often as app.json says.
    """
    file = root / "Procfile"
    if not file.is_file():
        return ()
    counts = {**(_formation(root) if heroku else {}), **(scale or {})}
    commands: dict[str, str] = parse_procfile(file.read_text()).processes
    return tuple(
        ProcfileEntry(name, tuple(shlex.split(command)), counts.get(name, 1), profiles)
        for name, command in commands.items()
        if name != "release"
    )


def _formation(root: Path) -> dict[str, int]:
    """Returns the counts that Heroku starts with. Only Heroku knows later changes: see `scale`."""
    file = root / "app.json"
    app: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return {name: int(part["quantity"]) for name, part in app.get("formation", {}).items()}
