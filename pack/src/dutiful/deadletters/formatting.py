"""A letter in words for people."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from dutiful.deadletters.models import DeadLetter
from dutiful.deadletters.reading import read

LONGEST: Final = 20_000
"""Letters of a raw message on a page."""


def attempts(letter: DeadLetter) -> list[dict[str, Any]]:
    """Each try: when (None: a crash, of which only the evidence is known), where, what it said."""
    return [
        {"at": datetime.fromtimestamp(at, UTC) if at else None, "worker": worker, "said": said}
        for at, worker, said in letter.attempts
    ]


def raw(letter: DeadLetter) -> str:
    """The message: headers and properties laid out where it is JSON, else its bytes."""
    data = bytes(letter.raw)
    found = read(data)
    if not found.headers:
        return repr(data[:LONGEST])[2:-1]
    whole = {"headers": found.headers, "properties": found.properties, "embed": found.embed}
    try:
        return json.dumps(whole, indent=1, ensure_ascii=False)[:LONGEST]
    except (ValueError, RecursionError):
        return repr(data[:LONGEST])[2:-1]
