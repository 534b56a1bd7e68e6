"""Sends a worker's events in batches.

Stock Celery publishes them at every turn of its event loop, which took half of the loop's time.
"""

from typing import Any, Final

FLUSH_SECONDS: Final = 0.5
"""An event is published, and shown by Flower, at most this much later."""
MOST_EVENTS: Final = 20_000
"""With so many events a batch is published at once, so that it does not fill the memory."""


class BatchedEvents:
    """Mixed into Celery's consumer, whose `hub`, `timer` and `event_dispatcher` it uses."""

    hub: Any
    timer: Any
    event_dispatcher: Any
    _flush_events: Any
    _flush_planned = False

    def on_send_event_buffered(self) -> None:
        """Plans a flush. Celery calls this for each event, in any thread."""
        if self._flush_planned or not self.hub:
            return
        self._flush_planned = True
        self.event_dispatcher.buffer_limit = MOST_EVENTS
        self.hub.call_soon(self._plan_flush)

    def _plan_flush(self) -> None:
        self.timer.call_after(FLUSH_SECONDS, self._flush_batch)

    def _flush_batch(self) -> None:
        self._flush_planned = False
        self._flush_events()
