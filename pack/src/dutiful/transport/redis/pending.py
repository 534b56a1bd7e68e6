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
        """The server may or may not have heard it."""
        self.owner.give_back(self.acks, self.others)
        self.end()

    def end(self) -> None:
        with contextlib.suppress(RuntimeError):  # ended by another thread: the process is leaving
            self.owner.request_lock.release()

    @property
    def overdue(self) -> bool:
        return time.monotonic() - self.sent > LONGEST_SECONDS


class PendingClaims:
    """The channel's side: one pending at a time, on a connection of its own."""

    pool: Any
    connection: Any
    line: ScriptConnection
    _pending_claim: PendingClaim | None = None
    _ahead: ScriptConnection | None = None

    @property
    def ahead(self) -> Any:
        """The socket of that connection."""
        return self._ahead and self._ahead.socket

    @property
    def has_pending_claim(self) -> bool:
        """Whether an answer is awaited, however long it takes."""
        return self._pending_claim is not None

    @property
    def awaits_reply(self) -> bool:
        """Whether an answer is awaited. Raises redis' TimeoutError when it is overdue."""
        if self._pending_claim is None:
            return False
        if self._pending_claim.overdue:
            self.abandon()
            raise RedisTimeoutError(f"no reply to a claim in {LONGEST_SECONDS:g} s")
        return True

    def send_off(self, pending: PendingClaim) -> None:
        """Raises redis errors; then nothing is under way."""
        if self._ahead is None:
            self._ahead = ScriptConnection(self.pool, self.connection.cycle.unwatch)
        pending.owner.request_lock.acquire()
        self._pending_claim = pending
        try:
            self._ahead.send(pending.calls)
        except BaseException:
            self.abandon()
            raise
        self.connection.cycle.watch(self, self._ahead.fileno)

    def receive(self) -> tuple[PendingClaim, list[Any]] | None:
        """The pending and its replies; None where the server only hung up. Raises redis errors.

        Whoever gets a pending ends it, once what it brought is in the map.
        """
        pending = self._pending_claim
        if pending is None or self._ahead is None:
            if self._ahead is not None:
                self._ahead.close()
            return None
        try:
            replies = self._ahead.receive(pending.calls)
        except BaseException:
            self.abandon()
            raise
        self._pending_claim = None
        return pending, replies

    def hang_up(self) -> None:
        """The next to use a held connection gets a new one; what is under way is left alone."""
        self.line.close()
        if self._ahead is not None and not self.has_pending_claim:
            self._ahead.close()

    def abandon(self) -> None:
        """Gives up what is under way, and its connection."""
        pending, self._pending_claim = self._pending_claim, None
        if self._ahead is not None:
            self._ahead.close()
        if pending is not None:
            self.unsure = True
            pending.failed()

    unsure = False
    """A reply was lost: the server may list what this process does not know."""
