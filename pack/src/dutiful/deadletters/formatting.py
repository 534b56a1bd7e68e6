"""A dead letter's attempts and raw message, formatted for a page."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from dutiful.deadletters.models import DeadLetter
from dutiful.deadletters.reading import read

LONGEST: Final = 20_000
"""The most characters of a raw message on a page."""


def attempts(letter: DeadLetter) -> list[dict[str, Any]]:
    """One dictionary for each attempt: `at` (None for a crash), `worker` and `text`."""
    return [
        {"at": datetime.fromtimestamp(at, UTC) if at else None, "worker": worker, "text": text}
        for at, worker, text in letter.attempts
    ]


def raw(letter: DeadLetter) -> str:
    """The message as indented JSON, without its body; or its bytes if it is not JSON."""
    data = bytes(letter.raw)
    found = read(data)
    if not found.headers:
        return repr(data[:LONGEST])[2:-1]
    whole = {"headers": found.headers, "properties": found.properties, "embed": found.embed}
    try:
        return json.dumps(whole, indent=1, ensure_ascii=False)[:LONGEST]
    except (ValueError, RecursionError):
        return repr(data[:LONGEST])[2:-1]
