"""Elects the one beat that ticks: a thread renews a lease in Redis while beat's loop is alive."""

import logging
import threading
import time
from typing import Final

from redis import RedisError

from dutiful.beat.shared import LEASE, Shared
from dutiful.leader import RedisLease, new_owner

TTL: Final = 10.0
"""Seconds without a renewal after which another beat takes over."""
RENEW: Final = 3.0
"""Seconds between a leader's renewals."""
STANDBY: Final = 1.0
"""Seconds between the tries of a standby. A takeover after a kill -9 takes TTL + STANDBY at
most."""
STALL: Final = 60.0
"""Seconds without a pass of beat's loop after which the lease is no longer renewed."""
PATIENCE: Final = 1.0
"""Seconds that a stop waits for the renewing thread."""

logger = logging.getLogger(__name__)


class Lease:
    """Takes the lease when it is free and keeps it, in a thread, until `release()`."""

    def __init__(self, shared: Shared) -> None:
        self.owner = new_owner()
        self.fence = 0
        """The number of this leadership; 0 for a standby."""
        self._lease = RedisLease(lambda: shared.client, LEASE, TTL)
        self._until = 0.0
        self._last_pass = time.monotonic()
        self._unreachable = False
        self._reported = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat-lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def held(self) -> bool:
        """Whether this process leads, by its own clock."""
        return self.fence > 0 and time.monotonic() < self._until

    def alive(self) -> None:
        """Called by the loop in each pass: a lease is not renewed for a loop that hangs."""
        self._last_pass = time.monotonic()

    def confirmed(self) -> bool:
        """Whether this process leads, by the server. Raises redis.RedisError or OSError."""
        return self.held and self._lease.confirmed(self.owner, self.fence)

    def release(self) -> None:
        """Gives the lease back, so that another beat takes over at once. May be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)
        # A thread that hangs on the server may still renew: then the lease expires by itself.
        fence, self.fence = self.fence, 0
        if not fence or self._thread.is_alive():
            return
        try:
            self._lease.give_back(self.owner)
        except (RedisError, OSError) as error:
            logger.warning("lease not given back, it expires in %g s: %s", TTL, error)
        else:
            logger.info("lease given back")

    def _run(self) -> None:
        while not self._stop.is_set():
            self._take()
            self._stop.wait(RENEW if self.held else STANDBY)

    def _take(self) -> None:
        began = time.monotonic()
        if began - self._last_pass > STALL:
            if self.fence:
                logger.error("beat's loop has made no pass for %g s: another beat may lead", STALL)
                self.fence = 0
            return
        try:
            fence = self._lease.take(self.owner)
        except (RedisError, OSError) as error:
            if not self._unreachable:
                logger.error("no lease, so no ticks: Redis does not answer: %s", error)
            self._unreachable = True
            return
        self._unreachable = False
        if fence != self.fence or not self._reported:
            self._report(fence)
        self._until = began + TTL
        self.fence = fence

    def _report(self, fence: int) -> None:
        self._reported = True
        if fence:
            logger.info("this beat leads (fence %d, %s)", fence, self.owner)
        else:
            logger.info("another beat leads; this one stands by")
