"""Publishing that cannot hang: a few connections of its own, and a total deadline for each call."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final
from weakref import WeakSet

from kombu import Connection
from redis.exceptions import RedisError

from dutiful.transport.broker import Publisher
from dutiful.transport.brokers import connect_publisher
from dutiful.transport.redis.publisher import BREAKS, Parcel, TooLate, Unavailable
from dutiful.transport.unavailable import is_unavailable

SOCKET_SHARE: Final = 0.9
CONNECT_SHARE: Final = 0.5
"""Of the time of a call: how long its sockets wait for an answer, and for a connection."""
AGAIN_SHARE: Final = 0.3
"""What fails within this share of the time is tried once more: an idle connection was closed."""

Connect = Callable[[dict[str, Any], float], Connection]
"""Makes kombu's connection, given transport options and the connect timeout; not connected yet."""
_all: "WeakSet[PublisherPool]" = WeakSet()


class PublisherPool:
    """Publishes prepared messages, each call within `seconds`. Thread-safe."""

    def __init__(
        self,
        connect: Connect,
        declare: Callable[[str], Sequence[Any]],
        seconds: float,
        limit: int,
    ) -> None:
        self.connect, self.declare, self.seconds, self.limit = connect, declare, seconds, limit
        self.forget()
        _all.add(self)

    def forget(self) -> None:
        """After a fork: the parent's sockets are not touched."""
        self._idle: deque[Publisher] = deque()
        self._free = threading.BoundedSemaphore(self.limit)

    def put(self, parcels: Sequence[Parcel]) -> list[Exception | None]:
        """None or the error of each: Unavailable, or what the broker says of that message.

        Raises Unavailable where the connection failed. The server runs nothing of it later; only
        what it ran and could not answer for any more may have arrived all the same.
        """
        errors: list[Exception | None] = self._within(
            lambda publisher, until: publisher.put(parcels, until, self.seconds)
        )
        return errors

    def put_many(self, queue: str, priority: int, texts: list[str]) -> list[Exception | None]:
        """As `put`, for messages of one queue without an eta, a thousand at most."""
        errors: list[Exception | None] = self._within(
            lambda publisher, until: publisher.put_many(queue, priority, texts, until, self.seconds)
        )
        return errors

    def ping(self) -> None:
        """Raises Unavailable."""
        self._within(lambda publisher, _: publisher.ping())

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _within(self, call: Callable[[Publisher, float], Any]) -> Any:
        # No context managers here: this is the way of each `delay()`.
        began, free = time.monotonic(), self._free
        until = began + self.seconds
        if not free.acquire(timeout=self.seconds):
            raise Unavailable("all connections for publishing wait for the broker")
        publisher: Publisher | None = None
        try:
            publisher = (
                self._idle.pop()
                if self._idle
                else connect_publisher(self._connection(), self.declare)
            )
            answer = self._try(call, publisher, began, until)
            if publisher.broken:
                publisher.close()
            else:
                self._idle.append(publisher)
            return answer
        except BaseException:
            if publisher is not None:
                publisher.close()  # the next one may be on another server of a failover URL
            raise
        finally:
            free.release()

    def _try(
        self,
        call: Callable[[Publisher, float], Any],
        publisher: Publisher,
        began: float,
        until: float,
    ) -> Any:
        try:
            try:
                return call(publisher, until)
            except (*BREAKS, TooLate):
                if time.monotonic() - began > self.seconds * AGAIN_SHARE:
                    raise
                return call(publisher, until)
        except BREAKS as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        except RedisError as error:
            if is_unavailable(error):  # stock's ping, of a server that is busy
                raise Unavailable(f"{type(error).__name__}: {error}") from error
            raise

    def _connection(self) -> Connection:
        wait = self.seconds * SOCKET_SHARE
        options: dict[str, Any] = {
            "socket_timeout": wait,
            "socket_connect_timeout": self.seconds * CONNECT_SHARE,
            "retry_on_timeout": False,
            # RabbitMQ's: its socket's, and an answer to each message.
            "read_timeout": wait,
            "write_timeout": wait,
            "confirm_publish": True,
        }
        return self.connect(options, self.seconds * CONNECT_SHARE)


def _forget() -> None:
    for publishers in _all:
        publishers.forget()


os.register_at_fork(after_in_child=_forget)
