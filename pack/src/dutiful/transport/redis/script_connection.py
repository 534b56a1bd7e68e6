"""A held connection for scripts: kombu makes a client anew for each command, a fifth of a publish.

Not thread-safe, as kombu's channels are not.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

from redis.exceptions import NoScriptError, RedisError, ResponseError

from dutiful.transport.redis.scripts import Script
from dutiful.transport.unavailable import as_connection_error, breaks, named

IDLE_SECONDS: Final = 1.0
"""A connection unused for longer is looked at before it carries a message."""

Call = tuple[Script, Sequence[Any], Iterable[Any]]
"""A script, its keys, its arguments."""


class ScriptConnection:
    """One connection of a pool, kept until it breaks."""

    def __init__(self, pool: Any, on_close: Callable[[int], None] | None = None) -> None:
        self._pool = pool
        self._on_close = on_close  # given the file descriptor, before it can be another's
        self._connection: Any = None
        self._used = 0.0

    def run(self, script: Script, keys: Sequence[Any], args: Iterable[Any]) -> Any:
        """The script's reply. Raises redis errors; a broken connection is dropped first."""
        return self.run_all([(script, keys, args)])[0]

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """Replies of several scripts sent in one packet. Raises the first error among them."""
        self.send(calls)
        return self.receive(calls)

    def send(self, calls: Sequence[Call]) -> None:
        """The first half of `run_all`."""
        self._write(self.ready(), [_words(call) for call in calls])

    def receive(self, calls: Sequence[Call]) -> list[Any]:
        """The second half; waits for what has not come yet."""
        replies = self.outcomes(calls)
        for reply in replies:
            if isinstance(reply, Exception):
                self._refused(reply)
        return replies

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        """As `receive`, with what the server refused among the replies. Raises what breaks."""
        connection = self._connection
        replies = self._read(connection, len(calls))
        missing = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if missing:  # a server that restarted has forgotten them
            load = [("SCRIPT", "LOAD", calls[i][0].text) for i in missing]
            self._talk(connection, load)
            again = self._talk(connection, [_words(calls[i]) for i in missing])
            for i, reply in zip(missing, again, strict=True):
                replies[i] = reply
        return replies

    def command(self, *words: Any) -> Any:
        """One plain command's reply."""
        (reply,) = self._talk(self.ready(), [words])
        if isinstance(reply, Exception):
            self._refused(reply)
        return reply

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._on_close is not None and connection._sock is not None:
                self._on_close(connection._sock.fileno())
            connection.disconnect()
            self._pool.release(connection)

    @property
    def socket(self) -> Any:
        """None while there is no connection."""
        return self._connection and self._connection._sock

    @property
    def fileno(self) -> int:
        return int(self._connection._sock.fileno())

    def ready(self) -> Any:
        """The connection, made anew where it has ended."""
        connection = self._connection
        if connection is not None and time.monotonic() - self._used > IDLE_SECONDS:
            if not _ended(connection):
                return connection
            self.close()
            connection = None
        if connection is None:
            with as_connection_error():
                connection = self._connection = self._pool.get_connection()
        return connection

    def _refused(self, error: Exception) -> NoReturn:
        """Raises it. One that takes nothing now is left: the next connection may be another's."""
        if breaks(error):
            self.close()
        with as_connection_error():
            raise error

    def _talk(self, connection: Any, words: Sequence[tuple[Any, ...]]) -> list[Any]:
        self._write(connection, words)
        return self._read(connection, len(words))

    def _write(self, connection: Any, words: Sequence[tuple[Any, ...]]) -> None:
        packed: list[Any] = []
        for command in words:
            packed += connection.pack_command(*command)
        try:
            connection.send_packed_command(packed if len(packed) < 2 else [b"".join(packed)])
        except BaseException:
            self.close()
            raise

    def _read(self, connection: Any, count: int) -> list[Any]:
        replies: list[Any] = []
        try:
            for _ in range(count):
                try:
                    replies.append(connection.read_response())
                except ResponseError as error:
                    replies.append(named(error))
        except BaseException:
            self.close()  # a reply may still come: nobody must take it for another one
            raise
        self._used = time.monotonic()
        return replies


def _words(call: Call) -> tuple[Any, ...]:
    script, keys, args = call
    return ("EVALSHA", script.sha, len(keys), *keys, *args)


def _ended(connection: Any) -> bool:
    """Whether the server has hung up on an idle connection (or sent something unasked)."""
    try:
        return bool(connection.can_read(timeout=0))
    except (RedisError, OSError):
        return True
