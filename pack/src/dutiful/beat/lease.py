"""One beat among several: a lease on the broker, by the server's clock.

Each leadership has a number of its own (a fencing token, after Kleppmann's "How to do distributed
locking", 2016), so that a leader that was frozen and thaws cannot pass for the new one.
"""

import logging
import os
import socket
import threading
import time
from typing import Final

from redis import RedisError

from dutiful.beat.shared import FENCE_KEY, LEASE_KEY, Shared

TTL: Final = 10.0
"""Seconds a leader is missed before another takes over."""
RENEW: Final = 3.0
"""Seconds between a leader's renewals."""
STANDBY: Final = 1.0
"""Seconds between a standby's tries. TTL + STANDBY is the longest takeover after a kill -9."""
STALL: Final = 60.0
"""Seconds without a pass of beat's loop after which its lease is no longer renewed."""
PATIENCE: Final = 1.0
"""Seconds that a stop waits for the renewing thread."""

_TAKE: Final = """
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] .. ':' .. ARGV[2] then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return tonumber(ARGV[2])
elseif held then
    return 0
end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. fence, 'PX', ARGV[3])
return fence
"""
_RELEASE: Final = """
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
"""

logger = logging.getLogger(__name__)


class Lease:
    """Takes the lease when it is free and keeps it, in a thread, until `release()`."""

    def __init__(self, shared: Shared) -> None:
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"
        self.fence = 0
        """The number of this leadership; 0 for a standby."""
        self._shared = shared
        self._until = 0.0
        self._seen = time.monotonic()
        self._trouble = False
        self._told = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat-lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def held(self) -> bool:
        """Whether this process leads, as far as its own clock can tell."""
        return self.fence > 0 and time.monotonic() < self._until

    def alive(self) -> None:
        """To be called by the loop: a lease is not kept for a loop that stands still."""
        self._seen = time.monotonic()

    def confirmed(self) -> bool:
        """Whether this process leads, by the server's word. Raises redis.RedisError."""
        if not self.held:
            return False
        found: bytes | None = self._shared.client.get(LEASE_KEY)
        return found is not None and found.decode() == f"{self.owner}:{self.fence}"

    def release(self) -> None:
        """Gives the lease back, so that another beat takes over at once. May be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)
        # A thread that hangs on the server may still renew: then the lease runs out by itself.
        fence, self.fence = self.fence, 0
        if not fence or self._thread.is_alive():
            return
        try:
            self._shared.client.eval(_RELEASE, 1, LEASE_KEY, f"{self.owner}:{fence}")
        except (RedisError, OSError) as error:
            logger.warning("lease not given back, it runs out in %g s: %s", TTL, error)
        else:
            logger.info("lease given back")

    def _run(self) -> None:
        while not self._stop.is_set():
            self._take()
            self._stop.wait(RENEW if self.held else STANDBY)

    def _take(self) -> None:
        began = time.monotonic()
        if began - self._seen > STALL:
            if self.fence:
                logger.error("beat's loop stands still for %g s: another may lead", STALL)
                self.fence = 0
            return
        arguments = (self.owner, self.fence, int(TTL * 1000))
        try:
            # A server that was away for long has forgotten its scripts: eval, not evalsha.
            fence = int(self._shared.client.eval(_TAKE, 2, LEASE_KEY, FENCE_KEY, *arguments))
        except (RedisError, OSError) as error:
            if not self._trouble:
                logger.error("no lease, so no ticks: the broker does not answer: %s", error)
            self._trouble = True
            return
        self._trouble = False
        if fence != self.fence or not self._told:
            self._say(fence)
        self._until = began + TTL
        self.fence = fence

    def _say(self, fence: int) -> None:
        self._told = True
        if fence:
            logger.info("this beat leads (fence %d, %s)", fence, self.owner)
        else:
            logger.info("another beat leads; this one stands by")
