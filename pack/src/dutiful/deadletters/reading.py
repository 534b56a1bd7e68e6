"""Parses a raw message as far as possible. Nothing here raises an error because of its content."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dutiful.task import attempts

UNREADABLE: Final = (ValueError, TypeError, LookupError, RecursionError, AttributeError)
LAST_EPOCH: Final = 4e9
"""Epoch seconds. A later time is not believed."""


@dataclass(frozen=True)
class Read:
    """The parsed parts of a message. If it is `readable`, it can be sent again as a task."""

    headers: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    embed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        return text(self.headers.get("task"))

    @property
    def task_id(self) -> str:
        return text(self.headers.get("id"))

    @property
    def queue(self) -> str:
        info = self.properties.get("delivery_info")
        return text(info.get("routing_key")) if isinstance(info, Mapping) else ""

    @property
    def attempts(self) -> list[Any]:
        """The well-formed attempts: [epoch seconds, worker, text]."""
        found = self.headers.get(attempts.HEADER)
        return [
            [each[0], text(each[1]), text(each[2])]
            for each in (found[: attempts.MOST] if isinstance(found, list) else ())
            if _is_attempt(each)
        ]

    @property
    def readable(self) -> bool:
        return bool(self.task and self.task_id and self.args is not None)


def read(raw: bytes) -> Read:
    """Parses a message in its form in Redis, also an entry of `unacked`. The body must be JSON."""
    try:
        message = json.loads(raw)
        if isinstance(message, list):
            message = message[0]
        headers, properties = _dict(message.get("headers")), _dict(message.get("properties"))
    except UNREADABLE:
        return Read()
    try:
        body = message["body"]
        if properties.get("body_encoding") == "base64":
            body = b64decode(body)
        args, kwargs, embed = json.loads(body)
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise TypeError("the body has no arguments")
    except UNREADABLE:
        return Read(headers, properties)
    return Read(headers, properties, args, kwargs, _dict(embed))


def text(value: Any, longest: int = 255) -> str:
    """A string that every database accepts: no NUL, no lone surrogate; "" for another type."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "�").encode("utf-8", "replace").decode()[:longest]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_attempt(each: Any) -> bool:
    return (
        isinstance(each, list)
        and len(each) == 3
        and isinstance(each[0], (int, float))
        and 0 <= each[0] < LAST_EPOCH
        and isinstance(each[1], str)
        and isinstance(each[2], str)
    )
