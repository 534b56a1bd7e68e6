"""Runs a drill: each system in a process of its own, so that they share nothing."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dutiful import env
from dutiful.drills import table
from dutiful.drills.deployment import deployed
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.systems import System


class DrillError(Exception):
    """A drill could not be run on a system. Its process has printed the reason to stderr."""


def run_here(drill: Drill, name: str, quick: bool, keep: Path | None) -> Counts:
    """Runs the drill on the system of that name, in this process."""
    system = next(one for one in drill.systems if one.name == name)
    with deployed(system, keep) as deployment:
        return drill.run(deployment, quick)


def run_drill(drill: Drill, quick: bool, keep: Path | None = None) -> dict[str, Any]:
    """Runs the drill on all three systems; returns what `--json` prints. Raises DrillError."""
    began = time.monotonic()
    counts: dict[str, dict[str, Any]] = {}
    # Side by side where only counts matter; one by one where seconds matter too.
    together = quick and not drill.one_at_a_time
    batches = [drill.systems] if together else [(one,) for one in drill.systems]
    for batch in batches:
        counts |= _side_by_side(drill, batch, quick, keep)
    kept = drill.kept(_counts(counts["ours"]))
    return table.as_json(drill, counts, kept, time.monotonic() - began)


def _side_by_side(
    drill: Drill, batch: tuple[System, ...], quick: bool, keep: Path | None
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
        printed = {name: process.communicate()[0] for name, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()  # it ends its broker and its workers
            process.wait()
    for name, process in running.items():
        if process.returncode:
            raise DrillError(f"{drill.name} could not be run on {name}: see above.")
    return {name: json.loads(line) for name, line in printed.items()}


def _counts(flat: dict[str, Any]) -> Counts:
    fields = Counts.__dataclass_fields__.keys() - {"measured"}
    known = {key: value for key, value in flat.items() if key in fields}
    return Counts(**known, measured={k: v for k, v in flat.items() if k not in fields})
