"""The message of a batch: what all share is written in JSON once, the rest is filled in."""

import re
from base64 import b64encode
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final
from uuid import uuid4

from celery import signals
from celery.utils.saferepr import saferepr
from kombu.utils.uuid import uuid

from dutiful.publishing import prepared
from dutiful.publishing.prepared import Prepared, encode, priority_of
from dutiful.publishing.publish import Publisher, after

# Words that no argument and no header has: unguessable, and new in each process.
ID, TAG, BODY, ARGS, KWARGS = (f"{name}-{uuid4().hex}" for name in ("id", "tag", "b", "a", "k"))
CUT: Final = re.compile(f"({ID}|{TAG}|{BODY}|{ARGS}|{KWARGS})")
OWN: Final = {"id": ID, "argsrepr": ARGS, "kwargsrepr": KWARGS}
"""Headers that each message has for itself."""
EMBED: Final[dict[str, None]] = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))


class Envelope:
    """Makes the messages of one task, with plain options.

    `each`: every message has its own before_task_publish; else the first stands for all.
    """

    def __init__(
        self, publisher: Publisher, task: Any, options: dict[str, Any], each: bool = True
    ) -> None:
        self.publisher, self.name, self.each = publisher, task.name, each
        self.queue = publisher.queue(task, options.get("queue"))
        self.place = {"exchange": "", "routing_key": self.queue.name}
        self.parent = publisher.app.current_worker_task
        headers, properties, _ = publisher.message(ID, task.name, (), {}, options, self.parent)
        self.headers, self.properties = headers, properties
        self.own_root = headers["root_id"] == ID
        self.tag, self.made = uuid(), 0
        self.shared: Any = None
        """Headers and properties, as receivers left them, that `parts` were made of."""
        self.parts: list[str] = []

    @property
    def priority(self) -> int:
        return priority_of(self.properties)

    def fill(self, args: Any, kwargs: dict[str, Any]) -> Prepared:
        """One message. Sends its before_task_publish, which may change its headers."""
        task_id, amqp = uuid(), self.publisher.app.amqp
        levels = self.publisher.levels
        shown = self.publisher.shown(args)
        named = saferepr(kwargs, amqp.kwargsrepr_maxsize, maxlevels=levels) if kwargs else "{}"
        headers = {**self.headers, "id": task_id, "argsrepr": shown, "kwargsrepr": named}
        if self.own_root:
            headers["root_id"] = task_id
        properties = {**self.properties, "correlation_id": task_id}
        body = (args, kwargs, EMBED)
        if self.each or not self.made:
            self._before(headers, properties, body, task_id)
        self.made += 1
        own = {
            ID: task_id,
            TAG: f"{self.tag}-{self.made}",
            BODY: b64encode(encode(body).encode()).decode(),
            ARGS: quoted(shown)[1:-1],
            KWARGS: quoted(named)[1:-1],
        }
        text = "".join([own.get(part, part) for part in self.parts])
        return Prepared(task_id, self.name, headers, body, "", self.queue.name, text, self.priority)

    def _before(
        self, headers: dict[str, Any], properties: dict[str, Any], body: Any, task_id: str
    ) -> None:
        signals.before_task_publish.send(
            sender=self.name,
            body=body,
            declare=[self.queue],
            headers=headers,
            properties=properties,
            retry_policy=dict(self.publisher.policy),
            **self.place,
        )
        shared = ({**headers, **OWN}, {**properties, "correlation_id": ID})
        if self.own_root:
            shared[0]["root_id"] = ID
        if shared != self.shared:
            self.shared, self.parts = shared, self._write(*shared)

    def published(self, message: Prepared) -> None:
        """Sends its after_task_publish."""
        if self.each:
            after(message)

    def trail(self, message: Prepared) -> None:
        """The parent's record of what it called."""
        if self.parent:
            self.parent.add_trail(self.publisher.app.AsyncResult(message.id))

    def _write(self, headers: dict[str, Any], properties: dict[str, Any]) -> list[str]:
        """The JSON that kombu's channel would send, cut where words are to be replaced."""
        mode = self.queue.exchange.delivery_mode or self.publisher.delivery_mode
        ready = prepared.envelope(
            BODY,
            "application/json",
            "utf-8",
            headers,
            {**properties, "delivery_mode": mode},
            "",
            self.queue.name,
            self.priority,
        )
        ready["properties"]["delivery_tag"] = TAG
        return CUT.split(encode(ready))
