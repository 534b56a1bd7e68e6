"""Dead letters on RabbitMQ: a queue, read one by one, each acknowledged once it has a home.

What a worker refuses bears its reason in headers; for what the broker gave up it is in `x-death`.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from time import time
from typing import Any, Final

import amqp
from kombu.utils.uuid import uuid

from dutiful.transport.rabbitmq import delays, quorum

OURS: Final = "x-dead-"
"""How the headers begin that a worker adds: reason, detail, queue, at, id."""
BROKERS: Final = ("x-death", "x-first-death", "x-last-death", "x-delivery-count", OURS)
"""How headers begin that are not the message's own. Sent on, they would look like a cycle."""
APART: Final = ("application_headers", "content_type", "content_encoding", "expiration")
"""Properties that are given apart, or not at all: what has expired would expire there too."""
REASONS: Final = {"delivery_limit": "poison", "maxlen": "queue full"}
"""In our words, where RabbitMQ's are others: rejected, expired."""


@dataclass(frozen=True)
class Returned:
    """One message of the queue. `at` is the epoch second of its end."""

    id: int
    """Its delivery tag: of this channel, until that is closed."""
    reason: str
    detail: str
    queue: str
    """Where it ended."""
    at: float
    headers: dict[str, Any]
    """Its own."""
    message: Any
    """kombu's: body, content type and encoding, properties."""
    told: str
    """The id that a worker gave it, or "": two hostile messages may be alike."""

    @property
    def digest(self) -> str:
        """The same for the same message, however often it is read."""
        body = self.message.body
        data = body if isinstance(body, bytes) else str(body).encode()
        which = f"{self.told or self.at}/{self.queue}".encode()
        return sha1(which + data, usedforsecurity=False).hexdigest()


class DeadQueue:
    """The queue of dead letters, on a channel of its own: what is not removed goes back to it."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        quorum.declare_dead(channel)

    def count(self) -> int:
        """Without what others look at just now."""
        return int(self._channel.queue_declare(quorum.DEAD, passive=True).message_count)

    def entries(self, count: int = 100, after: Any = None) -> list[Returned]:
        """The oldest first; each once, whatever `after` is."""
        found: list[Returned] = []
        while len(found) < count:
            raw = self._channel.basic_get(quorum.DEAD)
            if raw is None:
                break
            found.append(_returned(self._channel.message_to_python(raw)))
        return found

    def remove(self, *ids: int) -> int:
        """Those that have a home elsewhere by now."""
        for tag in ids:
            self._channel.basic_ack(tag)
        return len(ids)

    def put_back(self, queue: str, raw: bytes) -> None:
        """A message, in kombu's JSON, to its queue again. Raises what the broker says."""
        message = json.loads(raw)
        send(
            self._channel,
            ("", queue),
            b64decode(message["body"]),
            message["headers"],
            message["properties"],
            message["content-type"],
            message["content-encoding"],
        )


def bury(channel: Any, message: Any, reason: str, detail: str) -> None:
    """A copy to the dead letters, confirmed. The caller acknowledges the message after that."""
    told = {"reason": reason, "detail": detail, "queue": queue_of(message)}
    told |= {"at": f"{time():.3f}", "id": uuid()}
    headers = {f"{OURS}{key}": value for key, value in told.items()}
    copy(channel, message, (quorum.DEAD, told["queue"]), headers)


def copy(channel: Any, message: Any, place: tuple[str, str], headers: Mapping[str, Any]) -> None:
    """The same message to another exchange and routing key, confirmed; with more headers."""
    more = {**own_headers(message), **headers}
    kinds = message.content_type, message.content_encoding
    send(channel, place, message.body, more, message.properties, *kinds)


def send(
    channel: Any,
    place: tuple[str, str],
    body: Any,
    headers: Mapping[str, Any],
    properties: Mapping[str, Any],
    content_type: str | None,
    content_encoding: str | None,
) -> None:
    """Published, routed and confirmed when it returns. Raises what the broker says."""
    names = (name for name, _ in amqp.Message.PROPERTIES if name not in APART)
    plain = {name: properties[name] for name in names if name in properties}
    priority = plain.pop("priority", None)
    message = channel.prepare_message(
        body, priority, content_type, content_encoding, dict(headers), plain
    )
    exchange, routing_key = place
    channel.basic_publish_confirm(
        message, exchange=exchange, routing_key=routing_key, mandatory=True
    )


def queue_of(message: Any) -> str:
    """Where a delivered message lay."""
    return delays.queue_of(str((message.delivery_info or {}).get("routing_key") or ""))


def own_headers(message: Any) -> dict[str, Any]:
    headers = message.headers if isinstance(message.headers, dict) else {}
    return {key: value for key, value in headers.items() if not str(key).startswith(BROKERS)}


def _returned(message: Any) -> Returned:
    headers = message.headers if isinstance(message.headers, dict) else {}
    told = {key[len(OURS) :]: str(value) for key, value in headers.items() if key.startswith(OURS)}
    death: Mapping[str, Any] = next(_deaths(headers.get("x-death")), {})
    reason = str(death.get("reason") or "unknown")
    detail = f"given up by the broker: {reason}"
    if reason == "delivery_limit":
        count = headers.get("x-delivery-count", quorum.DELIVERY_LIMIT)
        detail = f"it came back {count} times: workers died that held it, or put it back"
    return Returned(
        id=message.delivery_tag,
        reason=told.get("reason") or REASONS.get(reason, reason),
        detail=told.get("detail") or detail,
        queue=told.get("queue") or str(death.get("queue") or queue_of(message)),
        at=_epoch(told.get("at"), death.get("time")),
        headers=own_headers(message),
        message=message,
        told=told.get("id", ""),
    )


def _deaths(found: Any) -> Iterator[Any]:
    """Latest first; without the queues of a delay that it fell through."""
    for death in found if isinstance(found, list) else ():
        if isinstance(death, dict) and not delays.is_level(str(death.get("queue"))):
            yield death


def _epoch(told: str | None, death: Any) -> float:
    with suppress(TypeError, ValueError):
        if told:
            return float(told)
    if isinstance(death, datetime):
        return death.replace(tzinfo=UTC).timestamp()
    return time()
