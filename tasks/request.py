"""A message in a worker's hands. Ours treats a hard time limit as a timeout to retry."""

from typing import Any

from billiard.exceptions import TimeLimitExceeded
from celery.worker import state
from celery.worker.request import Request as CeleryRequest


class Request(CeleryRequest):
    """Stock Celery gives up a task at its hard limit, whatever its retries say."""

    _context: Any
    _retry_worker_lost: Any
    _tries_again = False

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """In the main process. The pool reports a hard limit here first, then to on_timeout."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        left = self._context.retries < (self.task.max_retries or 0)
        if isinstance(error, TimeLimitExceeded) and left and not state.should_terminate:
            # Celery 5.7's own republish for a lost child: the same message, retries + 1.
            self._tries_again = self._retry_worker_lost(error, exc_info)
            if self._tries_again:
                state.task_ready(self)
                return
        super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """In the main process, after which the pool kills the child."""
        if soft or not self._tries_again:
            super().on_timeout(soft, timeout)
