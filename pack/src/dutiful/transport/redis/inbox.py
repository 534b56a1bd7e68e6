"""Claimed messages on their way to their consumers."""

import weakref
from collections import deque
from collections.abc import Container
from dataclasses import dataclass
from typing import Any, Final

from dutiful.transport.message import due_seconds
from dutiful.transport.plain_json import loads
from dutiful.transport.redis.owner import Held

SHALLOW: Final = 100
"""Brackets below which nothing in a message can be nested deeply."""
BAD_MESSAGE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(slots=True)
class Claimed:
    """One message of the reply to a claim."""

    queue: str
    held: Held | None
    """None without acks."""
    crashes: int
    isolation: str
    """`isolated`, `final`, or nothing for a message that runs as others do."""
    redelivered: bool
    eligible_at: float | None
    """Epoch second since which it could be claimed again."""
    raw: bytes


class Inbox:
    """What one channel has claimed and not delivered."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._messages: deque[tuple[str, Any]] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, claimed: Claimed, now: float) -> None:
        """`now` is the server's epoch second.

        A message that cannot be read becomes a dead letter, with the reason; one of a stock
        producer that is not due yet is parked in Redis.
        """
        held = claimed.held
        try:
            payload = loads(claimed.raw)
            due = due_seconds(payload.get("headers"))
            if due is not None:
                if held and due > now:
                    task_id = _task_id(payload["headers"])
                    self._channel.settle("delay", held.tag, f"{due - now:.6f}", task_id)
                    return
                if due <= now:
                    payload["headers"].update(eta=None, due_at=due)
            message = self._message(payload, claimed)
        except BAD_MESSAGE as error:
            if held:
                detail = f"{type(error).__name__}: {error}"[:500]
                self._channel.settle("dead", held.tag, "undecodable", detail)
            return
        if held:
            held.message_ref = weakref.ref(message)
            held.task_id = _task_id(message.headers)
        self._messages.append((claimed.queue, message))

    def _message(self, payload: Any, claimed: Claimed) -> Any:
        properties = payload["properties"]
        if claimed.redelivered:
            properties.setdefault("delivery_info", {})["redelivered"] = True
        if claimed.eligible_at is not None:
            properties["eligible_at"] = claimed.eligible_at
        message = self._channel.Message(payload, channel=self._channel)
        if claimed.held:
            message.delivery_tag = claimed.held.tag  # of this claim; its own is in the properties
        message.crashes = claimed.crashes
        message.suspect = bool(claimed.isolation)
        message.final_run = claimed.isolation == "final"
        message.shallow = claimed.raw.count(b"{") + claimed.raw.count(b"[") < SHALLOW
        return message

    def deliver(self, limit: int) -> bool:
        """Hands messages to their consumers, at most `limit`. True if there was one."""
        channel, count = self._channel, 0
        callbacks = channel.connection._callbacks
        while self._messages and count < limit:
            if self._messages[0][0] not in callbacks:  # cancelled while the claim was under way
                self.put_back(keeping=callbacks)
                continue
            queue, message = self._messages.popleft()
            owner = channel.owner
            held = owner.get(message.delivery_tag) if owner else None
            if held and owner:
                if owner.stopped:
                    continue  # it goes back
                held.delivered = True
            channel.connection._deliver(message, queue)
            count += 1
        return bool(count)

    def pop_newest(self) -> Any:
        """The message that was added last, as delivered."""
        message = self._messages.pop()[1]
        owner = self._channel.owner
        held = owner.get(message.delivery_tag) if owner else None
        if held:
            held.delivered = True
        return message

    def put_back(self, keeping: Container[str] = ()) -> None:
        """Returns messages to their queues, uncounted, but for those of the queues in `keeping`."""
        back = [each for each in self._messages if each[0] not in keeping]
        self._messages = deque(each for each in self._messages if each[0] in keeping)
        for queue, message in reversed(back):
            self._channel.give_back(queue, message)

    def clear(self) -> None:
        self._messages.clear()


def _task_id(headers: Any) -> str:
    return str(headers.get("id") or "") if isinstance(headers, dict) else ""
