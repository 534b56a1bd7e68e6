"""What tests read and write in Redis: dead letters, notes of tasks, and raw messages."""

import json
from base64 import b64encode
from typing import Any
from uuid import uuid4


class Letters:
    """The dead letters of the broker since this object was made."""

    def __init__(self, client: Any) -> None:
        self.client = client
        last = client.xrevrange("dutiful:dead_letters", count=1)
        self._after = f"({last[0][0]}" if last else "-"

    def all(self) -> list[dict[str, str]]:
        return [fields for _, fields in self.client.xrange("dutiful:dead_letters", self._after)]

    def are(self, count: int) -> bool:
        """Whether there are exactly this many."""
        return len(self.all()) == count

    def reasons(self) -> list[str]:
        return [letter["reason"] for letter in self.all()]

    def about(self, text: str) -> dict[str, str] | None:
        """The dead letter whose raw message contains this text, or None."""
        return next((letter for letter in self.all() if text in letter["raw"]), None)


def notes(client: Any, key: str) -> list[str]:
    """The notes of tasks under that key."""
    return [str(value) for value in client.lrange(f"test:{key}", 0, -1)]


def message(
    task: Any, args: Any = (), *, queue: str, body: str | None = None, **changes: Any
) -> dict[str, Any]:
    """A message as kombu writes it. `changes` are headers; None removes a header."""
    task_id = str(uuid4())
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    content = body if body is not None else json.dumps([list(args), {}, embed])
    headers = {"lang": "py", "task": task, "id": task_id, "retries": 0, "ignore_result": True}
    headers = {key: value for key, value in {**headers, **changes}.items() if value is not None}
    return {
        "body": b64encode(content.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "tasks", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
        },
    }
