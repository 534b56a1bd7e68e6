"""A message as it will lie on the broker: routed, signalled, serialized, and not sent yet."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final

from kombu.utils.json import JSONEncoder
from kombu.utils.uuid import uuid

encode: Final = JSONEncoder().encode
"""As kombu's `dumps`, which makes an encoder for each call."""

WAL: Final = "wal"
"""Message header: PostgreSQL's position when it was sent, as "16/B374D848"."""
HEADERS: Final = '"headers": {"'
"""Before it, in `envelope`'s order, come only base64 and two words: nothing that could hold it."""


@dataclass(slots=True)
class Prepared:
    """One task's message. `body` is what signals are told, `text` what is sent."""

    id: str
    task: str
    headers: dict[str, Any]
    body: Any
    exchange: str
    queue: str
    """The routing key; with an exchange of "" that is the queue."""
    text: str
    priority: int = 0
    kept: bool = False
    """It lies in the outbox, not on the broker."""

    @property
    def plain(self) -> int | None:
        """Its priority, where a broker has nothing more to know of it."""
        return None if self.headers.get("eta") or self.exchange else self.priority

    def stamp(self, position: str) -> None:
        """Notes how far the database must have come where it runs."""
        self.headers[WAL], self.text = position, stamped(self.text, position)


def wire(
    data: str | bytes,
    content_type: str,
    encoding: str,
    headers: dict[str, Any],
    properties: dict[str, Any],
    exchange: str,
    queue: str,
    priority: int,
) -> str:
    """The JSON that kombu's Redis channel would push."""
    raw = data.encode() if isinstance(data, str) else data
    return encode(
        envelope(
            b64encode(raw).decode(),
            content_type,
            encoding,
            headers,
            properties,
            exchange,
            queue,
            priority,
        )
    )


def stamped(text: str, position: str) -> str:
    """The message with the header WAL, as its first; one that has it already stays as it is."""
    before, there, headers = text.partition(HEADERS)
    if not there or headers.startswith(f'{WAL}"'):
        return text
    return f'{before}{HEADERS}{WAL}": "{position}", "{headers}'


def envelope(
    body: str,
    content_type: str,
    encoding: str,
    headers: dict[str, Any],
    properties: dict[str, Any],
    exchange: str,
    queue: str,
    priority: int,
) -> dict[str, Any]:
    """kombu's layout; `body` is base64."""
    return {
        "body": body,
        "content-encoding": encoding,
        "content-type": content_type,
        "headers": headers,
        "properties": {
            **properties,
            "delivery_info": {"exchange": exchange, "routing_key": queue},
            "priority": priority,
            "body_encoding": "base64",
            "delivery_tag": uuid(),
        },
    }


def priority_of(properties: dict[str, Any]) -> int:
    """As kombu's channel reads it: 0 to 9."""
    try:
        return min(max(int(properties.get("priority") or 0), 0), 9)
    except (TypeError, ValueError):
        return 0
