"""A packet under way: the event loop goes on while the server answers.

On two busy cores a round trip costs a turn of the scheduler; children that finish meanwhile share
the next packet.
"""

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Final

from redis.exceptions import TimeoutError as RedisTimeoutError

from dutiful.transport.redis.owner import Operation, Owner
from dutiful.transport.redis.script_connection import Call, ScriptConnection

LONGEST_SECONDS: Final = 10.0
"""A reply that takes longer is lost: the connection is given up, as a blocking one would be."""


@dataclass
class PendingClaim:
    """A packet that was sent. It holds the owner's `request_lock` until it ends."""

    owner: Owner
    calls: list[Call]
    queues: list[str]
    acks: list[str]
    others: list[Operation]
    sent: float = field(default_factory=time.monotonic)

    def failed(self) -> None:
        """The server may or may not have executed it."""
        self.owner.give_back(self.acks, self.others)
        self.end()

    def end(self) -> None:
        with contextlib.suppress(RuntimeError):  # ended by another thread: the process is leaving
            self.owner.request_lock.release()

    @property
    def overdue(self) -> bool:
        return time.monotonic() - self.sent > LONGEST_SECONDS


class Pipeline:
    """One packet at a time, on a connection of its own that an event loop watches."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._pending: PendingClaim | None = None
        self._connection: ScriptConnection | None = None
        self.reply_lost = False
        """The server may list messages that this process does not know."""

    @property
    def socket(self) -> Any:
        """None while there is no connection."""
        return self._connection and self._connection.socket

    @property
    def busy(self) -> bool:
        """Whether a reply is awaited, however long it takes."""
        return self._pending is not None

    @property
    def awaits_reply(self) -> bool:
        """Whether a reply is awaited. Raises redis' TimeoutError when it is overdue."""
        if self._pending is None:
            return False
        if self._pending.overdue:
            self.abandon()
            raise RedisTimeoutError(f"no reply to a claim in {LONGEST_SECONDS:g} s")
        return True

    def send(self, pending: PendingClaim) -> None:
        """Raises redis errors; then nothing is under way."""
        cycle = self._channel.connection.cycle
        if self._connection is None:
            self._connection = ScriptConnection(self._channel.pool, cycle.unwatch)
        pending.owner.request_lock.acquire()
        self._pending = pending
        try:
            self._connection.send(pending.calls)
        except BaseException:
            self.abandon()
            raise
        cycle.watch(self._channel, self._connection.fileno)

    def receive(self) -> tuple[PendingClaim, list[Any]] | None:
        """The packet and its replies; None where the server only hung up. Raises redis errors.

        The caller ends the packet, once the claimed messages are in the owner's map.
        """
        pending = self._pending
        if pending is None or self._connection is None:
            if self._connection is not None:
                self._connection.close()
            return None
        try:
            replies = self._connection.receive(pending.calls)
        except BaseException:
            self.abandon()
            raise
        self._pending = None
        return pending, replies

    def close_idle(self) -> None:
        """The next packet gets a new connection; one that is under way is left alone."""
        if self._connection is not None and not self.busy:
            self._connection.close()

    def abandon(self) -> None:
        """Gives up the packet that is under way, and its connection."""
        pending, self._pending = self._pending, None
        if self._connection is not None:
            self._connection.close()
        if pending is not None:
            self.reply_lost = True
            pending.failed()
