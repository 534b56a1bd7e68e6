"""What still lies in a contender's broker: which tasks wait, which are held, which are dead."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

QUEUED: Final = "queued"
HELD: Final = "held"
DEAD: Final = "dead"
DEAD_LETTERS: Final = "dutiful:dead_letters"
"""Our stream of dead letters."""


def census(client: Any) -> dict[int, str]:
    """Where each task is that the broker still knows: QUEUED, HELD (claimed or delayed) or DEAD."""
    found: dict[int, str] = {}
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        if kind == "list":
            found |= dict.fromkeys(_numbers(client.lrange(key, 0, -1)), QUEUED)
        elif kind == "hash" and key.endswith(("unacked", "dutiful:messages")):
            found |= dict.fromkeys(_numbers(client.hvals(key)), HELD)
    found |= dict.fromkeys(dead(client), DEAD)
    return found


def dead(client: Any) -> set[int]:
    """The numbers of the tasks in the dead letters."""
    if client.type(DEAD_LETTERS) != "stream":
        return set()
    fields = (fields for _id, fields in client.xrange(DEAD_LETTERS))
    return {number for entry in fields for number in _numbers(entry.values())}


def _numbers(values: Any) -> Iterator[int]:
    for value in values:
        number = number_in(value)
        if number is not None:
            yield number


def number_in(value: str) -> int | None:
    """A drill's number in a raw message, or None: other things lie in a broker too."""
    try:
        message = json.loads(value)
        if isinstance(message, list):  # stock's `unacked` has [message, exchange, key]
            message = message[0]
        body = message["body"]
        if message["properties"].get("body_encoding") == "base64":
            body = b64decode(body)
        number = json.loads(body)[0][0]
    except (ValueError, TypeError, LookupError):
        return None
    return number if isinstance(number, int) else None
