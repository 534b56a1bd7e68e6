"""Bindings of queues, written on a full server too.

A worker binds its queues, and the one on which it is told what to do, before it takes the first
message. Where the server refused that, no worker could start, and nobody could drain it.
"""

from functools import cached_property
from typing import Any, Final

from kombu.transport import redis as stock
from redis.exceptions import OutOfMemoryError

from dutiful.transport.unavailable import as_connection_error

_ANY_MEMORY: Final = "#!lua flags=allow-oom\n"
_REFRESH: Final[str] = _ANY_MEMORY + vars(stock)["REFRESH_BINDING"]
_BIND: Final = f"{_ANY_MEMORY}for i = 1, #KEYS do redis.call('SADD', KEYS[i], ARGV[1]) end"


class Bindings:
    """Mixed into kombu's channels. What is written stays kombu's."""

    keys: Any
    keyprefix_queue: str
    keyprefix_binding_permanent: str
    sep: str

    @cached_property
    def _refresh_binding(self) -> Any:
        """kombu's own script for queues that expire: replies, events."""
        client: Any = self._create_client()  # type: ignore[attr-defined]
        return client.register_script(_REFRESH)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        try:
            with as_connection_error():
                super()._queue_bind(exchange, routing_key, pattern, queue)  # type: ignore[misc]
        except OutOfMemoryError:
            # A queue that stays: kombu sends two plain commands.
            names = (self.keyprefix_queue, self.keyprefix_binding_permanent)
            keys = [self.keys.whole(name % (exchange,)) for name in names]
            member = self.sep.join([routing_key or "", pattern or "", queue or ""])
            self.line.command("EVAL", _BIND, len(keys), *keys, member)  # type: ignore[attr-defined]
