"""A tracker for tests: `ERROR_TRACKER=tests.support.trackers.note` in a worker.

It writes a line of JSON a call to the file that TRACKED names.
"""

import json
import os
import time
import traceback
from pathlib import Path
from typing import Any


def note(error: BaseException | None, sentence: str, tags: dict[str, str]) -> None:
    time.sleep(0.3)  # as over a network: whoever ends meanwhile has to wait
    _write(error, sentence, tags)


def broken(error: BaseException | None, sentence: str, tags: dict[str, str]) -> None:
    _write(error, sentence, tags)
    raise LookupError("the tracker is away")


def _write(error: BaseException | None, sentence: str, tags: dict[str, str]) -> None:
    told: dict[str, Any] = {"sentence": sentence, "tags": tags, "error": None, "frames": []}
    if error is not None:
        told["error"] = [f"{type(error).__module__}.{type(error).__qualname__}", str(error)]
        told["frames"] = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    with Path(os.environ["TRACKED"]).open("a") as file:
        file.write(json.dumps(told) + "\n")


def noted(file: Path) -> list[dict[str, Any]]:
    """The calls that it has received so far."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
