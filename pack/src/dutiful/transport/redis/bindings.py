"""Bindings of queues, written on a full server too.

A worker binds its queues, and the one that its remote control uses, before it takes the first
message. Where the server refused that, no worker could start, and nobody could drain it.
"""

from typing import Any, Final

from kombu.transport import redis as stock

_ANY_MEMORY: Final = "#!lua flags=allow-oom\n"
_REFRESH: Final[str] = _ANY_MEMORY + vars(stock)["REFRESH_BINDING"]
_BIND: Final = f"{_ANY_MEMORY}for i = 1, #KEYS do redis.call('SADD', KEYS[i], ARGV[1]) end"


def refresh_script(channel: Any) -> Any:
    """kombu's own script for queues that expire: replies, events."""
    client: Any = channel._create_client()
    return client.register_script(_REFRESH)


def bind(channel: Any, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
    """Binds a queue that stays, as kombu's two commands do. Raises redis errors."""
    names = (channel.keyprefix_queue, channel.keyprefix_binding_permanent)
    keys = [channel.keys.whole(name % (exchange,)) for name in names]
    member = channel.sep.join([routing_key or "", pattern or "", queue or ""])
    channel.script_connection.command("EVAL", _BIND, len(keys), *keys, member)
