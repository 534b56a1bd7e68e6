"""Figures of production in a file, by which CI can evaluate the code."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dutiful.conf.queues import catalogue
from dutiful.monitoring.drift.drift import Figures
from dutiful.monitoring.fleet.buckets import edges, from_labels, labelled

VERSION: Final = 2


class BadRecord(ValueError):
    """The file is no record, or lacks an edge that is needed. The message says what to do."""


def write(file: Path, figures: Iterable[Figures], days: float) -> int:
    """Writes the file and returns the number of tasks. Raises OSError."""
    tasks = {each.task: asdict(each) for each in sorted(figures, key=lambda one: one.task)}
    for each in tasks.values():
        del each["task"]
        each["run"] = labelled(each["run"])
    record = {
        "version": VERSION,
        "recorded": datetime.now(UTC).isoformat(timespec="seconds"),
        "days": days,
        "edges": edges(),
        "tasks": tasks,
    }
    file.write_text(json.dumps(record, indent=1) + "\n")
    return len(tasks)


def read(file: Path) -> list[Figures]:
    """Raises BadRecord, or OSError."""
    try:
        record: Any = json.loads(file.read_text())
        if record["version"] != VERSION:
            raise BadRecord(f"{file} was recorded by another version: record it again.")
        if strange := {queue.runs_within for queue in catalogue()}.difference(record["edges"]):
            seconds = ", ".join(f"{each:g} s" for each in sorted(strange))
            raise BadRecord(
                f"{file} was recorded before a queue promised runs_within {seconds}, so it does"
                " not say how many runs took longer: record it again with this catalogue."
            )
        found = [
            Figures(task=name, **{**numbers, "run": from_labels(numbers["run"])})
            for name, numbers in record["tasks"].items()
        ]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        if isinstance(error, BadRecord):
            raise
        raise BadRecord(
            f"{file} is no record of `manage.py drift --record`: {type(error).__name__}: {error}"
        ) from error
    return found
