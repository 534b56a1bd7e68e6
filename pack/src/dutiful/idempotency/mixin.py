"""Runs a task's body while it holds its key, and marks the key as done with the effect."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from celery.exceptions import Ignore
from django.apps import apps
from django.db import Error, transaction
from django.utils import timezone

from dutiful.idempotency import keys
from dutiful.idempotency.keys import StaleFence
from dutiful.task import Task
from dutiful.task.postponing import postpone

if TYPE_CHECKING:
    from dutiful.idempotency.models import Key
    from dutiful.idempotency.store import Run

logger = logging.getLogger(__name__)
DAY: Final = 24 * 3600
LEASE_MARGIN: Final = 30
"""Seconds after the hard time limit within which a run has certainly ended."""
NO_LIMIT: Final = 3600
"""Seconds: the lease of a task without a hard time limit."""
LONGEST_WAIT: Final = 60
"""Seconds: the longest pause between two looks at a key that another message holds."""


class Effect:
    """The value of `with self.effect() as effect:`. Its `result` is stored in the same commit."""

    result: Any = None


class IdempotencyKeyMixin:
    """One effect for each key, however often the message is delivered. It precedes the task class.

    A key is absent, running (held, with a fence) or done (with the result). A call whose key is
    done returns the stored result, and its body does not run. Without the app `dutiful.idempotency`
    the task runs like any other.
    """

    abstract = True
    idempotency_keep: float = DAY
    """Seconds for which a finished key is remembered."""
    idempotency_lease: float | None = None
    """Seconds after which another message may take the key from a run that has vanished; by default
    the task's hard time limit and half a minute."""
    idempotency_database: str = "default"
    """Alias of the database that holds the effect and the keys."""

    name: str
    request: Any
    run: Any
    time_limit: Any

    def apply_async(
        self,
        args: Any = None,
        kwargs: Any = None,
        task_id: str | None = None,
        *more: Any,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> Any:
        """As Celery's. Raises ValueError if `idempotency_key` is not a valid key."""
        own = keys.of_call(task_id, options, idempotency_key)
        if own is not None:
            options["headers"] = {**(options.get("headers") or {}), keys.HEADER: own}
        parent: Any = super()
        return parent.apply_async(args, kwargs, task_id, *more, **options)

    @property
    def idempotency_key(self) -> str:
        """The key of this call: for an Idempotency-Key header or a Message-ID."""
        request = self.request
        run = vars(request).get("_idempotency")
        if run is not None:
            return str(run.key)
        return keys.key(self.name, request, self._fingerprint(request.args, request.kwargs))

    @contextmanager
    def effect(self) -> Iterator[Effect]:
        """A short transaction that commits the effect together with the state `done`.

        Use it once in a run, at its end. Raises StaleFence if another run has taken the key, and
        RuntimeError for a second effect.
        """
        run, found = vars(self.request).get("_idempotency"), Effect()
        if run is None:  # called directly, or without the app
            with transaction.atomic(using=self.idempotency_database):
                yield found
            return
        if run.done:
            raise RuntimeError(
                f"{self.name}: only one effect() in a run; put all of the effect into the first"
            )
        from dutiful.idempotency import store

        with transaction.atomic(using=run.using, durable=True):
            yield found
            store.done(run, found.result)
        run.done, run.stored = True, found.result is not None

    def perform(self, args: Any, kwargs: Any) -> Any:
        """Runs the body once for its key.

        Raises IdempotencyConflict for a key with other arguments, Retry while another message holds
        the key, and Ignore if another delivery has taken over.
        """
        body: Any = super().perform  # type: ignore[misc]
        if not apps.is_installed("dutiful.idempotency"):
            return body(args, kwargs)
        from dutiful.idempotency import store

        run = self._run(args, kwargs)
        while True:
            if not store.take(run):
                row = store.look(run)
                if row is not None and self._done(run, row):
                    return store.result(row)
                continue
            self.request._idempotency = run
            try:
                result = body(args, kwargs)
                self._finish(run, result)
            except StaleFence as stale:
                row = store.look(run)
                if row is not None and row.task_id == run.task_id:
                    raise Ignore(str(stale)) from stale  # another delivery of the same message
            except BaseException:
                self._release(run)
                raise
            else:
                return result

    def _run(self, args: Any, kwargs: Any) -> "Run":
        from dutiful.idempotency.store import Run

        fingerprint = self._fingerprint(args, kwargs)
        limit = (self.request.timelimit or (None,))[0] or self.time_limit or NO_LIMIT
        return Run(
            using=self.idempotency_database,
            key=keys.key(self.name, self.request, fingerprint),
            task=self.name,
            task_id=self.request.id,
            fingerprint=fingerprint,
            lease=self.idempotency_lease or limit + LEASE_MARGIN,
            keep=self.idempotency_keep,
        )

    def _fingerprint(self, args: Any, kwargs: Any) -> str:
        return keys.fingerprint(self.run, args or (), kwargs or {})

    def _done(self, run: "Run", row: "Key") -> bool:
        """True if the key is done, False to look again now. Raises Retry to look again later."""
        if row.fingerprint != run.fingerprint:
            raise keys.IdempotencyConflict(
                f"{run.key} was used by task {row.task_id} with other arguments. A key is for one"
                " piece of work: use another key."
            )
        if row.state == row.State.DONE:
            logger.info("not run again: %s was done at %s", run.key, row.done_at)
            return True
        now = timezone.now()
        held = (now - row.taken_at).total_seconds()
        left = (row.lease_until - now).total_seconds()
        wait = random.uniform(0.8, 1.2) * min(max(1.0, held), max(1.0, left), LONGEST_WAIT)
        logger.info("waits %.1f s: task %s holds %s", wait, row.task_id, run.key)
        if self.request.is_eager:
            time.sleep(wait)
            return False
        raise postpone(self, wait, "another message holds its key")

    def _finish(self, run: "Run", result: Any) -> None:
        from dutiful.idempotency import store

        if not run.done:
            store.done(run, result)
        elif result is not None and not run.stored:
            store.keep_result(run, result)

    def _release(self, run: "Run") -> None:
        if run.done:
            return
        from dutiful.idempotency import store

        try:
            store.release(run)
        except Error:  # the end of the lease, or the next delivery of the message, frees it
            logger.warning("%s could not be released", run.key, exc_info=True)


class IdempotentTask(IdempotencyKeyMixin, Task):
    """`@task(base=IdempotentTask, …)`: the base task with one effect for each key."""

    abstract = True
