"""Our Redis transport: nothing lost when a worker dies, nothing doubled while it lives.

It is kombu's own with its lists, so that stock producers, stock workers and Flower go on beside it.
docs/transport.md lists the differences.
"""

from typing import Any, Final

import kombu.transport
from kombu.transport import redis as stock

from dutiful.transport import plain_json
from dutiful.transport.redis.channel import Channel, SentinelChannel
from dutiful.transport.redis.poller import Poller

_Transport: Any = stock.Transport
ALIASES: Final = {
    "redis": "dutiful.transport.redis.transport:Transport",
    "rediss": "dutiful.transport.redis.transport:Transport",
    "sentinel": "dutiful.transport.redis.transport:SentinelTransport",
}


class Transport(_Transport):
    """For redis:// and rediss:// URLs."""

    Channel: Any = Channel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycle = Poller()

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        before = set(loop.on_tick)
        super().register_with_event_loop(connection, loop)
        cycle, on_readable = self.cycle, self.on_readable
        cycle.loop = loop
        loop.add_reader(cycle.wake_fd, cycle.drain_wakeups)
        # The heartbeat restores, whatever the loop is at.
        cycle._restore_messages_tref.cancel()

        sockets: dict[int, Any] = {}

        def on_poll_start() -> None:
            # kombu's registers every socket at every turn: two system calls each.
            if cycle.on_poll_start():
                # Delivered just now: the pool looks for what it has to write once a turn, perhaps
                # before us, and would sleep on it.
                for each in loop.on_tick - {on_poll_start}:
                    each()
            for fd in cycle.fds:
                # redis-py reconnects by itself, and the new socket may get the old number.
                socket = cycle.socket(fd)
                if socket is None:
                    continue  # closed, and not yet made anew
                known = sockets.get(fd) is socket
                if not known or loop.readers.get(fd, (None,))[0] != on_readable:
                    sockets[fd] = socket
                    loop.add_reader(fd, on_readable, fd)

        loop.on_tick = before - {getattr(loop, "our_tick", None)} | {on_poll_start}
        loop.our_tick = on_poll_start


class SentinelTransport(Transport):
    """For sentinel:// URLs."""

    default_port = 26379
    Channel = SentinelChannel


def register() -> None:
    """Makes ours the transport of these URLs, in this process.

    By alias and not by `broker_transport`: with that, TLS is dropped and a failover URL falls back
    to stock at the first switch.
    """
    kombu.transport.TRANSPORT_ALIASES.update(ALIASES)
    cache: Any = vars(kombu.transport)["_transport_cache"]
    for alias in ALIASES:
        cache.pop(alias, None)
    plain_json.install()
