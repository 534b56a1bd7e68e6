"""Leader election: a lease in Redis that one of several processes holds, by the server's clock.

Each leadership has a number of its own, a fencing token (Kleppmann, "How to do distributed
locking", 2016). So a leader that was frozen and continues cannot pass for its successor. Beat and
the monitor use this lease; what they do without Redis is their own.
"""

import os
import socket
from collections.abc import Callable
from typing import Any, Final

# Both compare the owner before the last colon; the number behind it is the fence.
_TAKE: Final = """
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^(.*):') ~= ARGV[1] then return 0 end
local fence = held and string.match(held, '%d+$') or redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. fence, 'PX', ARGV[2])
return tonumber(fence)
"""
_RELEASE: Final = """
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^(.*):') == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


def new_owner() -> str:
    """A name for this process that no other one has: host/pid/random."""
    return f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"


class RedisLease:
    """The lease `name`:lease, which lasts for `seconds` from each `take`.

    `client()` is a redis.Redis, and `prefix()` precedes the keys. Methods raise redis.RedisError or
    OSError.
    """

    def __init__(
        self, client: Callable[[], Any], name: str, seconds: float, prefix: Callable[[], str] = str
    ) -> None:
        self._client, self._name, self._prefix = client, name, prefix
        self._milliseconds = int(seconds * 1000)

    @property
    def _key(self) -> str:
        return f"{self._prefix()}{self._name}:lease"

    def take(self, owner: str) -> int:
        """Takes or renews the lease. Returns the fence, 1 or more; 0 if another owner holds it."""
        keys = (self._key, f"{self._prefix()}{self._name}:fence")
        # A server that has restarted knows no scripts: eval, not evalsha.
        return int(self._client().eval(_TAKE, 2, *keys, owner, self._milliseconds))

    def confirmed(self, owner: str, fence: int) -> bool:
        """Whether the server still has this leadership."""
        held: bytes | str | None = self._client().get(self._key)
        return held in (f"{owner}:{fence}", f"{owner}:{fence}".encode())

    def give_back(self, owner: str) -> None:
        """Ends the owner's lease, so that another process can lead at once."""
        self._client().eval(_RELEASE, 1, self._key, owner)
