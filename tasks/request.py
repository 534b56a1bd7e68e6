"""A message in a worker's hands. Ours treats a hard time limit as a timeout to retry."""

from typing import Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import TimeLimitExceeded
from celery.worker import state
from celery.worker.request import Request as CeleryRequest


class Request(CeleryRequest):
    """Stock Celery gives up a task at its hard limit, whatever its retries say."""

    _context: Any
    _retry_worker_lost: Any

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Called in the main process, after which the pool kills the child."""
        if (
            not soft
            and not state.should_terminate
            and self._context.retries < self.task.max_retries
        ):
            try:
                raise TimeLimitExceeded(timeout)
            except TimeLimitExceeded as error:
                info = ExceptionInfo()
                # Celery 5.7's own republish for a lost child: the same message, retries + 1.
                if self._retry_worker_lost(error, info):
                    state.task_ready(self)
                    return
        super().on_timeout(soft, timeout)
