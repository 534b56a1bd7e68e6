"""A task class that does not send a call which would only repeat one that waits or runs.

It follows GitLab's `deduplicate :until_executing` and `:until_executed`. The mark of a call is a
row that is written in the caller's transaction. So it rolls back with the enqueue, and the run's
start or end waits until every caller whose duplicate was dropped has committed. The mark expires,
so that a lost message blocks others only for a while.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Literal

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from kombu.utils.uuid import uuid

from dutiful.idempotency import keys
from dutiful.idempotency.mixin import LEASE_MARGIN, NO_LIMIT
from dutiful.task import Task

logger = logging.getLogger(__name__)
WAITS_AT_MOST: Final = 600
"""Seconds for which a waiting call replaces its duplicates; after that they are sent again."""
LINKED: Final = (
    "link",
    "link_error",
    "chain",
    "chord",
    "group_id",
    "retries",
    "root_id",
    "producer",
)
"""A call with one of these options is always sent, since something else depends on it."""


class UniqueTask(Task):
    """`@task(base=UniqueTask, until="executing", …)` for work that need not be repeated.

    With `executing`, a duplicate is dropped while a call waits. With `executed`, it is also dropped
    while one runs; if that happens, the task runs once more afterwards. `delay()` of a duplicate
    returns the result of the call that replaces it.
    """

    abstract = True
    until: Literal["executing", "executed"] = "executing"
    unique_seconds: float = WAITS_AT_MOST

    def apply_async(
        self,
        args: Any = None,
        kwargs: Any = None,
        task_id: str | None = None,
        *more: Any,
        **options: Any,
    ) -> Any:
        plain = not more and task_id is None and not any(map(options.get, LINKED))
        if not plain or not apps.is_installed("dutiful.idempotency"):
            return super().apply_async(args, kwargs, task_id, *more, **options)
        from dutiful.idempotency import unique_calls

        key, publish = self._key(args, kwargs), super().apply_async
        options["task_id"] = task_id = uuid()

        def send() -> Any:
            try:
                return publish(args, kwargs, **options)
            except Exception:
                unique_calls.drop(key, task_id)
                raise

        with transaction.atomic():
            holder = unique_calls.mark(key, self.name, task_id, self._lasts(options))
            if holder == task_id:
                app: Any = self.app
                if app.outbox_for(self, options) is not None:
                    # The mark and the message's row are committed together.
                    return publish(args, kwargs, **options)
                # The run must find the mark, or the mark would outlive the run.
                transaction.on_commit(send)
                return self.AsyncResult(holder)
        logger.info("duplicate not sent: task %s does the work of %s", holder, key)
        return self.AsyncResult(holder)

    def perform(self, args: Any, kwargs: Any) -> Any:
        if not apps.is_installed("dutiful.idempotency"):
            return super().perform(args, kwargs)
        from dutiful.idempotency import unique_calls

        key, task_id = self._key(args, kwargs), str(self.request.id)
        if self.until == "executing":
            unique_calls.drop(key, task_id)
            return super().perform(args, kwargs)
        limit = (self.request.timelimit or (None,))[0] or self.time_limit or NO_LIMIT
        unique_calls.begin(key, task_id, limit + LEASE_MARGIN)
        with self._once_more(key, task_id, args, kwargs):
            return super().perform(args, kwargs)

    @contextmanager
    def _once_more(self, key: str, task_id: str, args: Any, kwargs: Any) -> Iterator[None]:
        """Ends the call after the body, and sends it again if a duplicate was dropped meanwhile."""
        from dutiful.idempotency import unique_calls

        try:
            yield
        finally:
            with transaction.atomic():
                if unique_calls.end(key, task_id, next_id := uuid(), self.unique_seconds):
                    logger.info("runs once more: %s was called while it ran", key)
                    queue = (self.request.delivery_info or {}).get("routing_key")
                    options: dict[str, Any] = {"queue": queue} if queue else {}
                    super().apply_async(args, kwargs, next_id, **options)

    def _key(self, args: Any, kwargs: Any) -> str:
        return f"{self.name}/{keys.fingerprint(self.run, args or (), kwargs or {})}"

    def _lasts(self, options: dict[str, Any]) -> float:
        """Seconds for which the mark is valid; it ends when the message expires."""
        expires, wait = options.get("expires"), options.get("countdown") or 0
        if options.get("eta") is not None:
            wait = max(0.0, (options["eta"] - timezone.now()).total_seconds())
        if expires is None:
            return float(self.unique_seconds + wait)
        if not isinstance(expires, (int, float, timedelta)):
            expires = (expires - timezone.now()).total_seconds()
        seconds = expires.total_seconds() if isinstance(expires, timedelta) else float(expires)
        return min(seconds, self.unique_seconds + wait)
