"""A task's message: what may travel in it, and how it lies on the broker.

`check` refuses arguments at the caller, where they can be changed. `Prepared` is a message that is
routed, signalled and serialized, and not sent yet; its `text` is written here and nowhere else.
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final

from celery import signals
from django.db.models import Model
from kombu.exceptions import EncodeError
from kombu.utils.json import JSONEncoder, dumps
from kombu.utils.uuid import uuid

from dutiful.catalogue.classes import DEFAULT_PAYLOAD_LIMIT
from dutiful.conf import conf
from dutiful.conf.queues import by_name
from dutiful.publishing.router import declared

MAX_KEY: Final = 2**63
"""Above every database's primary keys; in JSON it takes 20 bytes at most."""
WAL: Final = "wal"
"""Message header: PostgreSQL's position when it was sent, as "16/B374D848"."""
HEADERS: Final = '"headers": {"'
"""In a message's text only base64 and two words come before it: nothing that could hold it."""

encode: Final = JSONEncoder().encode
"""As kombu's `dumps`, which makes an encoder for each call."""


class PayloadError(ValueError):
    """Arguments that are not JSON, or too large. Nothing was sent."""


@dataclass(slots=True)
class Prepared:
    """One task's message. Signals are given its `body`, the broker its `text` (kombu's JSON)."""

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

    @classmethod
    def written(
        cls,
        task: str,
        body: Any,
        serialized: tuple[str, str, str | bytes],
        headers: dict[str, Any],
        properties: dict[str, Any],
        exchange: str,
        queue: str,
        tag: str = "",
    ) -> "Prepared":
        """Writes the message's text as kombu's Redis channel does.

        `serialized` is what `kombu.serialization.dumps` returns for the body: content type,
        content encoding, data. `tag` is the delivery tag, by default a new one.
        """
        content_type, encoding, data = serialized
        priority = priority_of(properties)
        text = encode(
            {
                "body": b64encode(data.encode() if isinstance(data, str) else data).decode(),
                "content-encoding": encoding,
                "content-type": content_type,
                "headers": headers,
                "properties": {
                    **properties,
                    "delivery_info": {"exchange": exchange, "routing_key": queue},
                    "priority": priority,
                    "body_encoding": "base64",
                    "delivery_tag": tag or uuid(),
                },
            }
        )
        return cls(headers["id"], task, headers, body, exchange, queue, text, priority)

    @property
    def plain(self) -> int | None:
        """Its priority, where a broker needs to know nothing more; None with an eta or exchange."""
        return None if self.headers.get("eta") or self.exchange else self.priority

    def stamp(self, position: str) -> None:
        """Adds the header WAL: how far the database must have come where the message runs."""
        self.headers[WAL], self.text = position, stamped(self.text, position)

    def published(self) -> None:
        """Sends its after_task_publish. Call it once, when the broker has the message."""
        signals.after_task_publish.send(
            sender=self.task,
            body=self.body,
            headers=self.headers,
            exchange=self.exchange,
            routing_key=self.queue,
        )


def stamped(text: str, position: str) -> str:
    """The text with WAL as its first header; a text that has the header already is unchanged."""
    before, there, headers = text.partition(HEADERS)
    if not there or headers.startswith(f'{WAL}"'):
        return text
    return f'{before}{HEADERS}{WAL}": "{position}", "{headers}'


def priority_of(properties: dict[str, Any]) -> int:
    """The priority that kombu's channel reads from them: 0 to 9."""
    try:
        return min(max(int(properties.get("priority") or 0), 0), 9)
    except (TypeError, ValueError):
        return 0


def check(name: str, args: Any, kwargs: Any, task: Any = None, queue: Any = None) -> None:
    """Raises PayloadError naming the task, the argument, what it is and what to do.

    The limit is that of `queue` (a name, or kombu's Queue) where one is given, else of the queue
    that the task declares; raises NotInCatalogue where there is no such queue.
    """
    if _surely_small((*(args or ()), *(kwargs or {}).values())):
        return
    named = {f"argument {place}": value for place, value in enumerate(args or (), 1)}
    named |= {f"argument {key}": value for key, value in (kwargs or {}).items()}
    sizes = {argument: _size(name, argument, value) for argument, value in named.items()}
    total = sum(sizes.values())
    if total > conf().smallest_payload and total > (limit := limit_of(task, queue)):
        largest = max(sizes, key=lambda argument: sizes[argument])
        raise PayloadError(
            f"{name}: the arguments are {total} bytes of JSON, the limit is {limit}; the largest"
            f" is {largest} with {sizes[largest]}. Save the data and pass its primary key."
        )


def limit_of(task: Any = None, queue: Any = None) -> int:
    """Bytes that all arguments together may have as JSON: the queue's `payload_limit`."""
    if queue is not None:
        return by_name(getattr(queue, "name", queue)).payload_limit
    return DEFAULT_PAYLOAD_LIMIT if task is None else declared(task).payload_limit


def _surely_small(values: tuple[Any, ...]) -> bool:
    """Whether primary keys and short texts need no JSON to be measured. False: it is not known."""
    total = 0
    for value in values:
        if type(value) is str:
            total += 12 * len(value) + 2  # the longest escape of a character
        elif value is None or type(value) is bool or (type(value) is int and abs(value) < MAX_KEY):
            total += 20
        elif type(value) is float:
            total += 25
        else:
            return False
    return total <= conf().smallest_payload


def _size(name: str, argument: str, value: Any) -> int:
    if isinstance(value, Model):
        raise PayloadError(
            f"{name}: {argument} is a {type(value).__name__} instance."
            " Pass the primary key; the task reads the row when it runs."
        )
    try:
        return len(dumps(value).encode())
    except (TypeError, ValueError, EncodeError) as error:
        raise PayloadError(
            f"{name}: {argument} is not JSON ({type(value).__name__}: {error})."
            " Pass text, numbers, lists, dicts, or a primary key."
        ) from None
