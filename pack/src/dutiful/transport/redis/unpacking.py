"""A message out of its bytes: what a claim brings, made into what Celery's consumer takes."""

import weakref
from collections import deque
from typing import Any, Final

from dutiful.transport.message import due_seconds
from dutiful.transport.plain_json import loads
from dutiful.transport.redis.owner import Held, Owner

SHALLOW: Final = 100
"""Brackets below which nobody needs to look how deep a message is."""
BAD_MESSAGE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Unpacking:
    """Fills a channel's inbox; settles at once what is not to be delivered."""

    Message: Any
    owner: Owner | None = None
    _inbox: deque[tuple[str, Any]]

    def settle(self, what: str, tag: str, first: str = "", second: str = "") -> None:
        """Queued, from any thread."""
        if self.owner is not None:
            self.owner.settle(what, tag, first, second)

    def _make(
        self,
        queue: str,
        held: Held | None,
        raw: bytes,
        crashes: int,
        isolation: bytes,
        notes: list[bytes],
        now: float,
    ) -> None:
        """The message out of its bytes. What cannot be one is a dead letter, with the reason."""
        try:
            payload = loads(raw)
            due = due_seconds(payload.get("headers"))
            if due is not None:
                if held and due > now:  # a stock producer's: it waits in Redis, not in our memory
                    self.settle("delay", held.tag, f"{due - now:.6f}", _task_id(payload["headers"]))
                    return
                if due <= now:
                    payload["headers"].update(eta=None, due_at=due)
            redelivered, eligible_at = notes
            if redelivered:
                payload["properties"].setdefault("delivery_info", {})["redelivered"] = True
            if eligible_at:
                payload["properties"]["eligible_at"] = float(eligible_at)
            message = self.Message(payload, channel=self)
            if held:
                message.delivery_tag = held.tag  # of this claim; its own stays in the properties
        except BAD_MESSAGE as error:
            if held:
                said = f"{type(error).__name__}: {error}"[:500]
                self.settle("dead", held.tag, "undecodable", said)
            return
        message.crashes, message.suspect = crashes, bool(isolation)
        message.final_run = isolation == b"final"
        message.shallow = raw.count(b"{") + raw.count(b"[") < SHALLOW
        if held:
            held.message_ref = weakref.ref(message)
            held.task_id = _task_id(message.headers)
        self._inbox.append((queue, message))


def _task_id(headers: Any) -> str:
    return str(headers.get("id") or "") if isinstance(headers, dict) else ""
