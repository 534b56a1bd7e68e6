"""Publishing by a deadline on RabbitMQ, with a confirmation for each message."""

import time
from collections.abc import Sequence
from typing import Any

from amqp.exceptions import MessageNacked, PreconditionFailed
from kombu.exceptions import OperationalError

from dutiful.transport.rabbitmq import delays
from dutiful.transport.redis.publisher import Parcel, Unavailable
from dutiful.transport.stock.publisher import StockPublisher


class RabbitPublisher(StockPublisher):
    """On RabbitMQ: each message is confirmed, and refused where no queue would get it."""

    more = {"mandatory": True}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._delayed: set[str] = set()

    def put(self, parcels: Sequence[Parcel], until: float, seconds: float) -> list[Any]:
        errors = super().put(parcels, until, seconds)
        if self.lost and errors[0] is not None and self._reconnected(until):
            return super().put(parcels, until, seconds)  # it was idle, and closed meanwhile
        return errors

    def place(self, parcel: Parcel, headers: Any) -> tuple[str, str]:
        """What is due later goes the long way, for the time that is left now."""
        left = delays.left(headers)
        if parcel.exchange or left <= 0:
            return parcel.exchange, parcel.queue
        if parcel.queue not in self._delayed:
            delays.ready(self.connection, self.declare(parcel.queue))
            self._delayed.add(parcel.queue)
        return delays.entry(parcel.queue, left)

    def failed(self, error: Exception) -> Exception:
        if isinstance(error, MessageNacked):  # a full queue, or one without its majority
            return Unavailable("RabbitMQ did not take it")
        if not isinstance(error, self.connection.channel_errors):
            return super().failed(error)
        # The error concerns this message or its queue. The publisher is not used again: its
        # successor declares the queue anew.
        self.broken = True
        try:
            self.channel = self.connection.channel()
        except (*self.connection.connection_errors, OSError) as gone:
            return super().failed(gone)
        return Unavailable(str(error)) if isinstance(error, PreconditionFailed) else error

    def _reconnected(self, until: float) -> bool:
        """Connects once more, where there is time."""
        connection = self.connection
        if time.monotonic() > until:
            return False
        try:
            connection.collect()
            connection.ensure_connection(max_retries=0)
            self.channel = connection.default_channel
        except (OperationalError, OSError, *connection.connection_errors):
            return False
        self.broken = self.lost = False
        self._delayed.clear()
        return True
