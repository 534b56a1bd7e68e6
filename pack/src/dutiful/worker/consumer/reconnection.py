"""After a lost connection the worker is back within seconds and goes on with all that it holds."""

import time
import warnings
from typing import Any, Final

from celery import bootsteps
from celery.exceptions import CPendingDeprecationWarning
from celery.worker import consumer as stock

from dutiful.transport import unavailable
from dutiful.transport.message import Message
from dutiful.transport.redis.owner import owners

CeleryConsumer: Any = stock.Consumer  # celery-types is behind 5.7
RECONNECT_SECONDS: Final = 3
"""The longest pause between two tries to reach the broker."""
REFUSED_SECONDS: Final = 1
"""The pause after a server answered and refused, as it would refuse at once again."""
STOPPING: Final = (bootsteps.CLOSE, bootsteps.TERMINATE)  # type: ignore[attr-defined]


class ReconnectingConsumer(CeleryConsumer):
    """Celery's consumer, whose messages outlive the connection that they were delivered by."""

    def ensure_connected(self, conn: Any) -> Any:
        """As Celery's, with a try every few seconds, however long the broker was unavailable."""
        ensure = conn.ensure_connection

        def soon(errback: Any, tries: int | None, **options: Any) -> Any:
            # kombu waits two seconds longer after each try, up to thirty. Ten times as many tries
            # add up to as long as before.
            tries = tries and tries * 10
            return ensure(errback, tries, interval_max=RECONNECT_SECONDS, **options)

        conn.ensure_connection = soon
        return super().ensure_connected(conn)

    def call_soon_ack(self, p: Any, *args: Any, **kwargs: Any) -> Any:
        """Acknowledges a message of ours at once: that is queued, and any thread may do it."""
        if isinstance(getattr(p, "__self__", None), Message):
            p(*args, **kwargs)
            return p
        return super().call_soon_ack(p, *args, **kwargs)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        if owners():
            # The transport subtracts what is still held from the capacity: Celery must not as well.
            self.app.conf.worker_enable_prefetch_count_reduction = False
        if exc.__cause__ is not None and unavailable.breaks(exc.__cause__):
            time.sleep(REFUSED_SECONDS)
        with warnings.catch_warnings():
            # The settings decide what becomes of running tasks; Celery explains it each time.
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)

    def on_close(self) -> None:
        """Called after a lost connection, and when the worker stops.

        Stock Celery forgets what waits for the pool, since it can no longer be acknowledged. Our
        delivery tags outlive the connection, so all of it is kept; at a stop it is put back.
        """
        stopping = self.controller and self.controller.blueprint.state in STOPPING
        if stopping or not owners():
            super().on_close()

    def register_with_event_loop(self, hub: Any) -> None:
        super().register_with_event_loop(hub)
        _resume_writes(self.pool, hub)


def _resume_writes(pool: Any, hub: Any) -> None:
    """Has the loop, which was made anew, go on with the unfinished writes of a prefork pool.

    A message of which only a part has been written to a child must be finished, or the child would
    read the next one as its rest.
    """
    inner = getattr(pool, "_pool", None)
    writers = getattr(inner, "_active_writers", None)
    if inner is None or not writers:
        return
    for job in list(inner._cache.values()):
        writer = job._writer() if getattr(job, "_writer", None) else None
        process = getattr(job, "_write_to", None)
        if writer in writers and process is not None and process._is_alive():
            hub.add_writer(process.inqW_fd, writer)
