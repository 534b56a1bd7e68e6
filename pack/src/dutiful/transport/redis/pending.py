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
from dutiful.transport.redis.script_connection import Call, Line

LONGEST_SECONDS: Final = 10.0
"""A reply that takes longer is lost: the connection is given up, as a blocking one would be."""


@dataclass
class Flight:
    """What was sent, to be told what became of it. Holds the owner's `talking` until it ends."""

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
            self.owner.talking.release()

    @property
    def overdue(self) -> bool:
        return time.monotonic() - self.sent > LONGEST_SECONDS


class Flights:
    """The channel's side: one flight at a time, on a connection of its own."""

    pool: Any
    connection: Any
    line: Line
    _flight: Flight | None = None
    _ahead: Line | None = None

    @property
    def ahead(self) -> Any:
        """The socket of that connection."""
        return self._ahead and self._ahead.socket

    @property
    def flies(self) -> bool:
        """Whether an answer is awaited, however long it takes."""
        return self._flight is not None

    @property
    def flying(self) -> bool:
        """Whether an answer is awaited. Raises redis' TimeoutError when it is overdue."""
        if self._flight is None:
            return False
        if self._flight.overdue:
            self.abandon()
            raise RedisTimeoutError(f"no reply to a claim in {LONGEST_SECONDS:g} s")
        return True

    def send_off(self, flight: Flight) -> None:
        """Raises redis errors; then nothing is under way."""
        if self._ahead is None:
            self._ahead = Line(self.pool, self.connection.cycle.unwatch)
        flight.owner.talking.acquire()
        self._flight = flight
        try:
            self._ahead.send(flight.calls)
        except BaseException:
            self.abandon()
            raise
        self.connection.cycle.watch(self, self._ahead.fileno)

    def receive(self) -> tuple[Flight, list[Any]] | None:
        """The flight and its replies; None where the server only hung up. Raises redis errors.

        Whoever gets a flight ends it, once what it brought is in the map.
        """
        flight = self._flight
        if flight is None or self._ahead is None:
            if self._ahead is not None:
                self._ahead.close()
            return None
        try:
            replies = self._ahead.receive(flight.calls)
        except BaseException:
            self.abandon()
            raise
        self._flight = None
        return flight, replies

    def hang_up(self) -> None:
        """The next to use a held connection gets a new one; what is under way is left alone."""
        self.line.close()
        if self._ahead is not None and not self.flies:
            self._ahead.close()

    def abandon(self) -> None:
        """Gives up what is under way, and its connection."""
        flight, self._flight = self._flight, None
        if self._ahead is not None:
            self._ahead.close()
        if flight is not None:
            self.unsure = True
            flight.failed()

    unsure = False
    """A reply was lost: the server may list what this process does not know."""
