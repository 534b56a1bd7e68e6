"""Which of the drill's tasks a Redis broker still has: queued, held by a worker, or dead."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

from dutiful.transport.redis.dead import STREAM

QUEUED: Final = "queued"
HELD: Final = "held"
DEAD: Final = "dead"
DEAD_LETTERS: Final = "dutiful:dead_letters"
"""The pack's stream of dead letters."""


def locate_tasks(client: Any) -> dict[int, str]:
    """Returns the place of each task that the broker has: QUEUED, HELD or DEAD.

    HELD: claimed by a worker, or delayed.
    """
    found: dict[int, str] = {}
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        if kind == "list":
            found |= dict.fromkeys(_numbers(client.lrange(key, 0, -1)), QUEUED)
        elif kind == "hash" and key.endswith(("unacked", "dutiful:messages")):
            found |= dict.fromkeys(_numbers(client.hvals(key)), HELD)
    found |= dict.fromkeys(dead_lettered(client), DEAD)
    return found


def dead_lettered(client: Any) -> set[int]:
    """Returns the numbers of the tasks in our stream of dead letters."""
    if client.type(STREAM) != "stream":
        return set()
    fields = (fields for _id, fields in client.xrange(STREAM))
    return {number for entry in fields for number in _numbers(entry.values())}


def _numbers(values: Any) -> Iterator[int]:
    for value in values:
        number = task_number(value)
        if number is not None:
            yield number


def task_number(value: str) -> int | None:
    """Returns the task's number in a raw message, or None if the value is no message of a drill."""
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
