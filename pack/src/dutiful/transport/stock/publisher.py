"""Publishing by a deadline on stock transports, which refuse nothing that is late."""

import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Any, Final

from amqp.exceptions import MessageNacked
from kombu import Producer
from kombu.utils.json import loads

from dutiful.transport.redis.publisher import Parcel, Unavailable

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
        """One by one: those before one that fails have been taken."""
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
