"""Events in batches: stock publishes them at every turn of the loop, half of its time."""

from typing import Any, Final

FLUSH_SECONDS: Final = 0.5
"""Flower sees a task's events this much later at the most."""
MOST: Final = 20_000
"""Events that are published sooner, so that a flood does not stay in memory."""


class BatchedEvents:
    """Mixed into Celery's consumer. `hub`, `timer` and `event_dispatcher` are the consumer's."""

    hub: Any
    timer: Any
    event_dispatcher: Any
    _flush_events: Any
    _flush_planned = False

    def on_send_event_buffered(self) -> None:
        """Called for each event, from any thread."""
        if self._flush_planned or not self.hub:
            return
        self._flush_planned = True
        self.event_dispatcher.buffer_limit = MOST
        self.hub.call_soon(self._plan_flush)

    def _plan_flush(self) -> None:
        self.timer.call_after(FLUSH_SECONDS, self._flush_batch)

    def _flush_batch(self) -> None:
        self._flush_planned = False
        self._flush_events()
