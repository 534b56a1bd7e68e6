"""Figures of production in a file: CI, which has no production, judges the code by them."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dutiful.monitoring.drift.drift import Figures
from dutiful.monitoring.fleet.buckets import BOUNDS, SIZE

VERSION: Final = 1


class BadRecord(ValueError):
    """A file that is no record, or one of other buckets. The message says what to do."""


def write(file: Path, figures: Iterable[Figures], days: float) -> int:
    """How many tasks. Raises OSError."""
    tasks = {each.task: asdict(each) for each in sorted(figures, key=lambda one: one.task)}
    for each in tasks.values():
        del each["task"]
    record = {
        "version": VERSION,
        "recorded": datetime.now(UTC).isoformat(timespec="seconds"),
        "days": days,
        "bounds": BOUNDS,
        "tasks": tasks,
    }
    file.write_text(json.dumps(record, indent=1) + "\n")
    return len(tasks)


def read(file: Path) -> list[Figures]:
    """Raises BadRecord, or OSError."""
    try:
        record: Any = json.loads(file.read_text())
        if record["version"] != VERSION or tuple(record["bounds"]) != BOUNDS:
            raise BadRecord(f"{file} was recorded by another version: record it again.")
        found = [Figures(task=name, **numbers) for name, numbers in record["tasks"].items()]
        if any(len(each.run) != SIZE for each in found):
            raise BadRecord(f"{file}: a histogram in it is cut off: record it again.")
    except (json.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
        raise BadRecord(
            f"{file} is no record of `manage.py drift --record`: {type(error).__name__}: {error}"
        ) from error
    return found
