"""The message of a batch: what all share is written in JSON once, the rest is filled in."""

import re
from base64 import b64encode
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final
from uuid import uuid4

from kombu.utils.uuid import uuid

from dutiful.publishing.message import Prepared, encode
from dutiful.publishing.publish import Preparation, Publisher

# Words that no argument and no header has: unguessable, and new in each process.
ID, TAG, DATA, ARGS, KWARGS = (f"{name}-{uuid4().hex}" for name in ("id", "tag", "b", "a", "k"))
BODY: Final = b64encode(DATA.encode()).decode()
CUT: Final = re.compile("|".join(["(" + ID, TAG, re.escape(BODY), ARGS, KWARGS + ")"]))
OWN: Final = {"id": ID, "argsrepr": ARGS, "kwargsrepr": KWARGS}
"""Headers that each message has for itself."""


class Template(Preparation):
    """Prepares the messages of one task, in JSON, from a text that is cut where they differ.

    `each`: every message has its own before_task_publish; else the first stands for all.
    """

    def __init__(
        self, publisher: Publisher, queue: Any, name: str, options: dict[str, Any], each: bool
    ) -> None:
        super().__init__(publisher, queue, name, options)
        self.each = each
        self.tag, self.made = uuid(), 0
        self.shared: Any = None
        """Headers and properties, as receivers left them, that `parts` were made of."""
        self.parts: list[str] = []
        self.priority = 0

    def before(self, headers: dict[str, Any], properties: dict[str, Any], body: Any) -> None:
        if not self.each and self.made:
            return
        super().before(headers, properties, body)
        shared = ({**headers, **OWN}, {**properties, "correlation_id": ID})
        if not self.root:
            shared[0]["root_id"] = ID
        if shared != self.shared:
            self.shared = shared
            serialized = "application/json", "utf-8", DATA
            place = "", self.queue.name
            properties = {**shared[1], **self.mode}
            whole = Prepared.written(
                self.name, body, serialized, shared[0], properties, *place, TAG
            )
            self.parts, self.priority = CUT.split(whole.text), whole.priority

    def write(self, headers: dict[str, Any], properties: dict[str, Any], body: Any) -> Prepared:
        self.made += 1
        task_id, queue = headers["id"], self.queue.name
        own = {
            ID: task_id,
            TAG: f"{self.tag}-{self.made}",
            BODY: b64encode(encode(body).encode()).decode(),
            ARGS: quoted(headers["argsrepr"])[1:-1],
            KWARGS: quoted(headers["kwargsrepr"])[1:-1],
        }
        text = "".join([own.get(part, part) for part in self.parts])
        return Prepared(task_id, self.name, headers, body, "", queue, text, self.priority)
