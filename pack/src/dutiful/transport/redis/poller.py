"""Waits on notify lists: an idle worker blocks in Redis until one of its queues has a message."""

import contextlib
import os
import time
from queue import Empty
from typing import Any

from kombu.transport import redis as stock

from dutiful.transport.redis.claiming import MOST_MESSAGES

CLAIM = "CLAIM"
LONGEST_SLEEP = 1.0
"""Seconds; without an event loop nobody else ends a sleep."""
REGISTER_SECONDS = 0.1
"""Seconds; a busy loop leaves out meanwhile what kombu does in each turn for those that wait."""


_Poller: Any = stock.MultiChannelPoller


class Poller(_Poller):
    """kombu's poller. Each turn settles and claims first, then waits."""

    limit = MOST_MESSAGES
    """Messages delivered at once; without an event loop one, as callers of drain_events expect."""

    def __init__(self) -> None:
        super().__init__()
        self._wake_read = self._wake_write = -1
        self._watched: Any = None
        self._registered = 0.0
        self.loop: Any = None
        """The event loop that reads our wake-ups, if there is one."""

    def add(self, channel: Any) -> None:
        """A channel is connected. Not before: nobody closes what never was connected."""
        if self._wake_read < 0:
            # A thread that settles writes to it; the loop reads.
            self._wake_read, self._wake_write = os.pipe()
            for end in (self._wake_read, self._wake_write):
                os.set_blocking(end, False)
            self._watched = None
        super().add(channel)

    def on_poll_start(self) -> bool:
        """Whether something was delivered."""
        delivered = self._turn()
        now = time.monotonic()
        if now - self._registered >= REGISTER_SECONDS or not self._busy():
            self._registered = now
            super().on_poll_start()
        return delivered

    def _busy(self) -> bool:
        """Whether each consumer awaits a claim, and none waits on notify lists."""
        consumers = [channel for channel in self._channels if channel.capacity.queues]
        return bool(consumers) and all(
            channel.claimer.pipeline.busy and not channel._in_poll for channel in consumers
        )

    def _turn(self) -> bool:
        turns = [
            channel.claimer.turn(self.limit)
            for channel in list(self._channels)
            if channel.capacity.queues
        ]
        return any(turns)

    def get(self, callback: Any, timeout: float | None = None) -> Any:
        """Without an event loop (gevent, plain kombu): one turn, or one sleep. Raises Empty."""
        if self._watched is not self.poller:
            self.poller.register(self._wake_read, self.eventflags)
            self._watched = self.poller
        self._in_protected_read = True
        self.limit = 1
        try:
            self.maybe_refresh_binding_expiry()
            if self._turn():
                return None
            super().on_poll_start()
            wait = LONGEST_SLEEP if timeout is None else min(timeout, LONGEST_SLEEP)
            for fileno, event in self.poller.poll(wait) or ():
                if fileno != self._wake_read:
                    found = self.handle_event(fileno, event)
                    if found:
                        return found
                else:
                    self.drain_wakeups()
            self.maybe_check_brpop_health()  # a loop has a timer for it
            raise Empty
        finally:
            self.limit = MOST_MESSAGES
            self._in_protected_read = False
            while self.after_read:
                self.after_read.pop()()

    def maybe_check_brpop_health(self) -> None:
        """Where the connection that waits was dropped as half-open, those beside it are no better:
        the next claim would find that out, as a lost connection after a timeout.
        """
        asleep = [channel for channel in self._channels if channel._in_poll]
        super().maybe_check_brpop_health()
        for channel in asleep:
            if not channel._in_poll:
                channel.claimer.hang_up()

    @property
    def loops(self) -> bool:
        """Whether an event loop turns us, and not a caller of drain_events."""
        return self.loop is not None and self.limit == MOST_MESSAGES

    def watch(self, channel: Any, fileno: int) -> None:
        """An answer will come here; the channel's `arrive` takes it."""
        self._fd_to_chan[fileno] = (channel, CLAIM)

    def unwatch(self, fileno: int) -> None:
        """Before the number can be another file's."""
        if self._fd_to_chan.get(fileno, (None, None))[1] == CLAIM:
            del self._fd_to_chan[fileno]
            if self.loop is not None:
                self.loop.remove(fileno)

    def socket(self, fileno: int) -> Any:
        """The socket that has that number now."""
        channel, kind = self._fd_to_chan[fileno]
        if kind == CLAIM:
            return channel.claimer.pipeline.socket
        client = channel.client if kind == "BRPOP" else channel.subclient
        return client.connection and client.connection._sock

    def on_readable(self, fileno: int) -> None:
        channel, kind = self._fd_to_chan.get(fileno, (None, None))
        if kind == CLAIM:  # whatever the room: it is ours already
            channel.claimer.arrive()
        else:
            super().on_readable(fileno)

    @property
    def wake_fd(self) -> int:
        """The file descriptor that becomes readable when somebody settles."""
        return self._wake_read

    def wake(self) -> None:
        """From any thread: there is something to settle."""
        with contextlib.suppress(OSError):  # full, or closed meanwhile: it wakes anyway
            os.write(self._wake_write, b"!")

    def drain_wakeups(self, *_: Any) -> None:
        with contextlib.suppress(OSError):
            os.read(self._wake_read, 4096)

    def close(self) -> None:
        super().close()
        if self.loop is not None and self._wake_read >= 0:
            self.loop.remove(self._wake_read)
        ends, (self._wake_read, self._wake_write) = (self._wake_read, self._wake_write), (-1, -1)
        for end in ends:
            if end >= 0:
                os.close(end)
