"""Beside stock Celery: what a dead stock worker left in `unacked` is given back here too."""

import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from kombu.transport import redis as stock
from kombu.utils.json import loads

from dutiful.transport.redis.script_connection import ScriptConnection

_QoS: Any = stock.QoS
MOST_SECONDS: Final = 10.0
UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Sweeper(_QoS):
    """Stock's sweep, but an entry that fits no queue ends in the dead letters.

    Stock drops it with a line in the log, or stumbles over it at each sweep.
    """

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        channel = self.channel
        with channel.conn_or_acquire(client) as connected:
            stored = connected.hget(self.unacked_key, tag)
        try:
            if stored:
                message, exchange, routing_key = loads(stored.decode())
                _ = message["headers"].keys(), message["properties"]["delivery_info"].keys()
                if not channel._lookup(exchange, routing_key):
                    raise LookupError(f"no queue for {exchange!r}, {routing_key!r}")
        except UNREADABLE as error:
            self._bury(tag, stored, f"{type(error).__name__}: {error}"[:500])
        else:
            super().restore_by_tag(tag, client, leftmost)

    def _bury(self, tag: Any, stored: Any, why: str) -> None:
        keys = self.channel.keys
        words = ("reason", "undecodable", "detail", why, "list", "", "tag", tag, "owner", "")
        line = ScriptConnection(self.channel.pool)
        try:
            line.command("XADD", keys.of_scripts[1], "*", *words, "crashes", "[]", "raw", stored)
            line.command("HDEL", keys.whole(self.unacked_key), tag)
            line.command("ZREM", keys.whole(self.unacked_index_key), tag)
        finally:
            line.close()


def sweep_of(channel: Any) -> Callable[[], None]:
    """A call for the heartbeat's ticks: stock's sweep, by stock's rule, the visibility timeout.

    What our workers claim does not lie there, so it sees only what stock workers took.
    """
    reference = weakref.ref(channel)
    every = min(MOST_SECONDS, channel.visibility_timeout / 2)
    last = time.monotonic()

    def sweep() -> None:
        nonlocal last
        found = reference()
        if found is None or found.closed or time.monotonic() - last < every:
            return
        last = time.monotonic()
        qos = Sweeper(found)
        qos._on_collect.cancel()
        qos.restore_visible(num=100, interval=1)

    return sweep
