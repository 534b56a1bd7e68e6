"""Plays a drill: each contender in a process of its own, so that nothing is shared."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dutiful import env
from dutiful.drills import table
from dutiful.drills.arena import arena
from dutiful.drills.scenario import Contender, Counts, Drill


class PlayError(Exception):
    """A contender could not be played; what it said is on stderr."""


def play_here(drill: Drill, name: str, quick: bool, keep: Path | None) -> Counts:
    """One contender, in this process."""
    contender = next(one for one in drill.contenders if one.name == name)
    with arena(contender, keep) as place:
        return drill.play(place, quick)


def play(drill: Drill, quick: bool, keep: Path | None = None) -> dict[str, Any]:
    """All three. Raises PlayError. Returns what `--json` prints."""
    began = time.monotonic()
    counts: dict[str, dict[str, Any]] = {}
    # Side by side where only counts matter; one by one where seconds are to be trusted too.
    together = quick and not drill.apart
    batches = [drill.contenders] if together else [(one,) for one in drill.contenders]
    for batch in batches:
        counts |= _side_by_side(drill, batch, quick, keep)
    kept = drill.kept(_counts(counts["ours"]))
    return table.as_json(drill, counts, kept, time.monotonic() - began)


def _side_by_side(
    drill: Drill, batch: tuple[Contender, ...], quick: bool, keep: Path | None
) -> dict[str, dict[str, Any]]:
    flags = ["--quick"] * quick + (["--keep", str(keep)] if keep else [])
    running = {
        one.name: subprocess.Popen(
            [sys.executable, "manage.py", "drill", drill.name, "--only", one.name, *flags],
            cwd=env.ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for one in batch
    }
    try:
        said = {name: process.communicate()[0] for name, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()  # it ends its broker and its workers
            process.wait()
    for name, process in running.items():
        if process.returncode:
            raise PlayError(f"{drill.name} could not be played on {name}: see above.")
    return {name: json.loads(line) for name, line in said.items()}


def _counts(flat: dict[str, Any]) -> Counts:
    fields = Counts.__dataclass_fields__.keys() - {"measured"}
    known = {key: value for key, value in flat.items() if key in fields}
    return Counts(**known, measured={k: v for k, v in flat.items() if k not in fields})
