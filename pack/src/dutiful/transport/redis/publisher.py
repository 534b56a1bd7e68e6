"""A connection that publishes by a deadline: it answers by then, or it has not published.

A server that was frozen (SIGSTOP, a virtual machine that moves) runs what lies in its socket when
it thaws: the caller has long given up and kept the message elsewhere, so it would run twice. Here
each packet has a deadline by the server's clock, which the publisher has asked for.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis import exceptions as redis_errors

from dutiful.transport.redis.script_connection import Call
from dutiful.transport.redis.scripts import PUBLISH, PUBLISH_BY, PUBLISH_MANY_BY
from dutiful.transport.unavailable import is_unavailable

CLOCK_SECONDS: Final = 60.0
"""The server's clock is asked for again after this long: two clocks drift apart."""
MARGIN: Final = 0.25
"""The share of the time that is kept for the answer: the server refuses what comes later."""
BREAKS: Final = (redis_errors.ConnectionError, redis_errors.TimeoutError, OSError)
"""What a line raises that broke, and closed: nobody knows what arrived of what it carried."""
ELSEWHERE: Final = (redis_errors.ReadOnlyError, redis_errors.MasterDownError)
"""Of a demoted server, which keeps its connections: only a new one finds the primary by name."""


class Unavailable(Exception):
    """The broker takes no message now, and has not taken these."""


class TooLate(Unavailable):
    """It was reached after the deadline, and refused."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A prepared message: its queue (routing key) and the JSON that will lie on the broker."""

    text: str
    queue: str
    exchange: str = ""
    plain: int | None = None
    """Its priority, where it has no eta and no exchange: nothing in it needs to be read."""


class RedisPublisher:
    """On the project's transport. Not thread-safe."""

    broken = False
    """It is not to be used again."""

    def __init__(self, connection: Any, channel: Any) -> None:
        self.connection, self.channel = connection, channel
        self._seen: Any = None
        self._learned = self._offset = 0.0
        self._keys: dict[tuple[str, int], list[str]] = {}

    def put(self, parcels: Sequence[Parcel], until: float, seconds: float) -> list[Any]:
        """None or the error of each, Unavailable among them. `until` is of the monotonic clock.

        Raises BREAKS where the line broke, TooLate where all were refused for that.
        """
        errors = self._run([self._call(parcel) for parcel in parcels], until, seconds)
        if isinstance(errors[0], TooLate) and all(isinstance(one, TooLate) for one in errors):
            raise errors[0]
        return errors

    def put_many(
        self, queue: str, priority: int, texts: list[str], until: float, seconds: float
    ) -> list[Any]:
        """As `put`, for messages without an eta, at most a thousand: all of them, or none."""
        keys = self._places(queue, priority)
        (error,) = self._run([(PUBLISH_MANY_BY, keys, texts)], until, seconds)
        if isinstance(error, TooLate):
            raise error
        return [error] * len(texts)

    def ping(self) -> None:
        """Raises what is wrong."""
        self.channel.script_connection.command("PING")

    def close(self) -> None:
        self.connection.release()

    def _call(self, parcel: Parcel) -> Call:
        if parcel.plain is not None:
            return PUBLISH_BY, self._places(parcel.queue, parcel.plain), [parcel.text]
        message = json.loads(parcel.text)
        script, keys, words = self.channel.sender.call_for(parcel.queue, message, parcel.text)
        assert script is PUBLISH
        return PUBLISH_BY, keys, words

    def _places(self, queue: str, priority: int) -> list[str]:
        keys = self._keys.get((queue, priority))
        if keys is None:
            keys = self._keys[queue, priority] = self.channel.sender.keys_for(queue, priority)
        return keys

    def _run(self, calls: list[Call], until: float, seconds: float) -> list[Any]:
        line = self.channel.script_connection
        if line.ready() is not self._seen or until - self._learned > CLOCK_SECONDS:
            self._learn(line)
        by = f"{until - seconds * MARGIN + self._offset:.6f}"
        guarded = [(script, keys, [*words, by]) for script, keys, words in calls]
        line.send(guarded)
        replies = line.outcomes(guarded)
        if -1 in replies:
            self._seen = None  # the clock may have been set
        if any(isinstance(reply, ELSEWHERE) for reply in replies):
            self.broken = True
        return [_outcome(reply) for reply in replies]

    def _learn(self, line: Any) -> None:
        seconds, micros = line.command("TIME")
        # After the reply: rather too early a deadline than one after the caller has given up.
        self._learned = time.monotonic()
        self._offset = int(seconds) + int(micros) / 1e6 - self._learned
        self._seen = line.ready()


def _outcome(reply: Any) -> Exception | None:
    if reply == -1:
        return TooLate("the broker got to it too late, and refused it")
    if not isinstance(reply, Exception):
        return None
    return Unavailable(str(reply)) if is_unavailable(reply) else reply
