"""Publishing by a deadline on stock transports and RabbitMQ, which refuse nothing that is late."""

import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from amqp.exceptions import MessageNacked, PreconditionFailed
from kombu import Producer
from kombu.exceptions import OperationalError
from kombu.utils.json import loads

from dutiful.transport.rabbitmq import delays
from dutiful.transport.redis.channel import LeasedChannel
from dutiful.transport.redis.publisher import Parcel, RedisPublisher, Unavailable

MORE: Final = (OSError, MessageNacked)
"""What a publish raises beside its transport's errors."""


class StockPublisher:
    """On stock transports: within its sockets' timeouts, and without the guard."""

    more: dict[str, Any] = {}
    """What else its publishes are given."""

    def __init__(
        self, connection: Any, channel: Any, declare: Callable[[str], Sequence[Any]]
    ) -> None:
        self.connection, self.channel, self.declare = connection, channel, declare
        self.broken = False
        """It is not to be used again."""
        self.lost = False
        """Its connection is gone."""

    def put(self, parcels: Sequence[Parcel], until: float, seconds: float) -> list[Any]:
        """As RedisPublisher's, one by one: those before one that fails have been taken."""
        errors: list[Exception | None] = []
        for parcel in parcels:
            left = until - time.monotonic()
            if self.lost or left <= 0:
                last = next(filter(None, reversed(errors)), None)
                errors.append(last or Unavailable(f"not within {seconds:g} s"))
            else:
                errors.append(self._put(parcel, left))
        return errors

    def put_many(
        self, queue: str, priority: int, texts: list[str], until: float, seconds: float
    ) -> list[Any]:
        return self.put([Parcel(text, queue) for text in texts], until, seconds)

    def ping(self) -> None:
        self.connection.channel().close()

    def close(self) -> None:
        self.connection.release()

    def place(self, parcel: Parcel, headers: Any) -> tuple[str, str]:
        """Exchange and routing key."""
        return parcel.exchange, parcel.queue

    def failed(self, error: Exception) -> Exception:
        """What the failure of a publish is to its caller."""
        self.broken = self.lost = True
        return Unavailable(f"{type(error).__name__}: {error}")

    def _put(self, parcel: Parcel, seconds: float) -> Exception | None:
        message = loads(parcel.text)
        properties = message["properties"]
        for name in ("delivery_info", "delivery_tag", "body_encoding"):
            properties.pop(name)
        away = (*self.connection.connection_errors, *self.connection.channel_errors, *MORE)
        try:
            exchange, routing_key = self.place(parcel, message["headers"])
            Producer(self.channel, auto_declare=False).publish(
                b64decode(message["body"]),
                exchange=exchange,
                routing_key=routing_key,
                content_type=message["content-type"],
                content_encoding=message["content-encoding"],
                headers=message["headers"],
                declare=list(self.declare(parcel.queue)),
                retry=False,
                timeout=seconds,
                confirm_timeout=seconds,
                **properties,
                **self.more,
            )
        except away as error:
            return self.failed(error)
        return None


class RabbitPublisher(StockPublisher):
    """On RabbitMQ: each message is confirmed, and refused where no queue would get it."""

    more = {"mandatory": True}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._delayed: set[str] = set()

    def put(self, parcels: Sequence[Parcel], until: float, seconds: float) -> list[Any]:
        errors = super().put(parcels, until, seconds)
        if self.lost and errors[0] is not None and self._mended(until):
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

    def _mended(self, until: float) -> bool:
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


def connect_publisher(
    connection: Any, declare: Callable[[str], Sequence[Any]]
) -> RedisPublisher | StockPublisher:
    """Connects, to each server of a failover URL in turn. Raises Unavailable."""
    errors = (*connection.recoverable_connection_errors, *connection.recoverable_channel_errors)
    for _ in connection.alt or [""]:
        try:
            connection.ensure_connection(max_retries=0)
            channel: Any = connection.default_channel
        except (OperationalError, OSError, *errors) as error:
            failed = str(error) or type(error).__name__
            connection.maybe_switch_next()
        else:
            if isinstance(channel, LeasedChannel):
                return RedisPublisher(connection, channel)
            rabbit = connection.transport.driver_type == "amqp"
            return (RabbitPublisher if rabbit else StockPublisher)(connection, channel, declare)
    with suppress(OSError, *errors):
        connection.release()
    raise Unavailable(failed)
