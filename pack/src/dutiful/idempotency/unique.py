"""No double work: a call that would only repeat one that waits, or runs, is not sent.

After GitLab's `deduplicate :until_executing` and `:until_executed`. The mark lies in the database,
in the caller's transaction: it rolls back with the enqueue, and the run's start or end waits until
those who relied on it have committed what it is to see. It expires, so a lost message blocks nobody
for long.
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
from dutiful.task.base import Task

logger = logging.getLogger(__name__)
WAITS_AT_MOST: Final = 600
"""Seconds for which a waiting call stands for its duplicates. Longer: they are sent again."""
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
"""Options of calls that something else hangs on: those are always sent."""


class UniqueTask(Task):
    """`@task(base=UniqueTask, until="executing", …)` for work that needs no repeating.

    `executing`: a duplicate is dropped while one waits; from its start on the next is sent.
    `executed`: while one runs too; if any was dropped then, it runs once more after its end.
    A duplicate's `delay()` returns the result of the call that stands for it.
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
        from dutiful.idempotency import calls

        key, publish = self._key(args, kwargs), super().apply_async
        options["task_id"] = task_id = uuid()

        def send() -> Any:
            try:
                return publish(args, kwargs, **options)
            except Exception:
                calls.drop(key, task_id)
                raise

        with transaction.atomic():
            holder = calls.mark(key, self.name, task_id, self._lasts(options))
            if holder == task_id:
                app: Any = self.app
                if app.outbox_for(self, options) is not None:
                    # Either both are kept or neither: the mark, and the message's row.
                    return publish(args, kwargs, **options)
                # The run must find the mark, or it would stand for a call that is over.
                transaction.on_commit(send)
                return self.AsyncResult(holder)
        logger.info("not sent: %s does what %s asks for", holder, key)
        return self.AsyncResult(holder)

    def perform(self, args: Any, kwargs: Any) -> Any:
        if not apps.is_installed("dutiful.idempotency"):
            return super().perform(args, kwargs)
        from dutiful.idempotency import calls

        key, task_id = self._key(args, kwargs), str(self.request.id)
        if self.until == "executing":
            calls.drop(key, task_id)
            return super().perform(args, kwargs)
        limit = (self.request.timelimit or (None,))[0] or self.time_limit or NO_LIMIT
        calls.begin(key, task_id, limit + LEASE_MARGIN)
        with self._once_more(key, task_id, args, kwargs):
            return super().perform(args, kwargs)

    @contextmanager
    def _once_more(self, key: str, task_id: str, args: Any, kwargs: Any) -> Iterator[None]:
        """Ends the call, and sends it again where it was asked for in the meantime."""
        from dutiful.idempotency import calls

        try:
            yield
        finally:
            with transaction.atomic():
                if calls.end(key, task_id, next_id := uuid(), self.unique_seconds):
                    logger.info("runs once more: %s was asked for while it ran", key)
                    queue = (self.request.delivery_info or {}).get("routing_key")
                    options: dict[str, Any] = {"queue": queue} if queue else {}
                    super().apply_async(args, kwargs, next_id, **options)

    def _key(self, args: Any, kwargs: Any) -> str:
        return f"{self.name}/{keys.fingerprint(self.run, args or (), kwargs or {})}"

    def _lasts(self, options: dict[str, Any]) -> float:
        """Seconds for which the mark may stand: a message that expires stands for nothing."""
        expires, wait = options.get("expires"), options.get("countdown") or 0
        if options.get("eta") is not None:
            wait = max(0.0, (options["eta"] - timezone.now()).total_seconds())
        if expires is None:
            return float(self.unique_seconds + wait)
        if not isinstance(expires, (int, float, timedelta)):
            expires = (expires - timezone.now()).total_seconds()
        seconds = expires.total_seconds() if isinstance(expires, timedelta) else float(expires)
        return min(seconds, self.unique_seconds + wait)
