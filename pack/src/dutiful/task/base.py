"""The base task: late acks, a declared queue class, time limits and retries by default.

A retry, and what replaces a task, is published once the body has ended, and so outside its
transactions: one that was asked for inside `atomic()` is not rolled back with the rest, nor sent
before the rest is committed.
"""

import logging
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from celery import shared_task
from celery.app.task import Task as CeleryTask
from celery.contrib.django.task import DjangoTask
from celery.exceptions import Ignore, Reject, Retry, TaskPredicate
from kombu.exceptions import EncodeError

from dutiful.catalogue.classes import QueueClass
from dutiful.conf.queues import NotInCatalogue
from dutiful.publishing import hooks
from dutiful.publishing.router import declared
from dutiful.publishing.undeclared import is_undeclared
from dutiful.task import arguments, attempts, claims, database_errors, results, retries

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class Task(DjangoTask[Any, Any]):
    """What every task of the project is. Declare `urgency` and `runtime`; the rest follows.

    `retry_policy` is one of `dutiful.task.retries`; the default is the urgency's.
    """

    abstract = True
    Request = "dutiful.task.request:Request"
    urgency: str | None = None
    runtime: str | None = None
    bound: str = "io"
    thread_safe: bool = True
    """False sends it to the processes of a compute queue, whatever it is bound by."""
    retry_policy: retries.Retry | None = None
    outbox = True
    """Its enqueues go through the outbox, where that is installed (dutiful/outbox)."""
    aliases: tuple[str, ...] = ()
    """Names that the task had before: messages that bear them are its own
    (dutiful/task/aliases.py).
    """
    reads: str = ""
    """Where its body reads, one of `Reads`; "": as REPLICA_READS has its class
    (dutiful/replicas).
    """
    dead_letter_expired: bool = False
    """Whether a message past its `expires` is a dead letter. Celery's way is to drop it."""

    @property
    def queue_class(self) -> QueueClass:
        """Raises NotInCatalogue where the declaration is missing or wrong."""
        return declared(self)

    @property
    def policy(self) -> retries.Retry:
        if self.retry_policy is not None:
            return self.retry_policy
        # A stock task fails, or retries itself, as it did before.
        if is_undeclared(self):
            return retries.NEVER
        return retries.DEFAULTS[self.queue_class.urgency]

    @classmethod
    def on_bound(cls, app: Any) -> None:
        """Limits from the catalogue, unless the task brings its own.

        For a stock task those of Celery's settings come first, and its retries stay its own.
        """
        task = app.tasks.get(cls.name) or cls()
        try:
            queue, policy = task.queue_class, task.policy
        except NotInCatalogue:
            return  # the check dutiful.E001 says so, and nothing starts
        if is_undeclared(task):
            cls.soft_time_limit = cls.soft_time_limit or app.conf.task_soft_time_limit
            cls.time_limit = cls.time_limit or app.conf.task_time_limit
        cls.soft_time_limit = cls.soft_time_limit or queue.soft_time_limit
        cls.time_limit = cls.time_limit or queue.time_limit
        if is_undeclared(task) and task.retry_policy is None:
            return
        # Celery reads these two when a pool's child is lost.
        cls.max_retries = policy.times
        cls.default_retry_delay = int(policy.ceiling(0))

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """As Celery's. Raises TypeError for a key that nobody would look at."""
        if "idempotency_key" in options:
            raise TypeError(
                f"{self.name} takes no idempotency_key: declare it with base=IdempotentTask"
                " (dutiful/idempotency)"
            )
        return super().apply_async(*args, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request: Any = self.request
        if request.called_directly:
            return super().__call__(*args, **kwargs)
        request._in_body, request._again = True, None
        try:
            result = self._attempt(request, args, kwargs)
        except (Exception, SystemExit) as error:
            if request._again is not None:
                again = self._publish_next(request)
                if not isinstance(error, TaskPredicate):
                    raise again from error  # a try is on its way: this was not the end
            raise
        if request._again is not None:  # retry(throw=False)
            self._publish_next(request)
        return result

    def _attempt(self, request: Any, args: Any, kwargs: Any) -> Any:
        try:
            # Not request.headers: with Sentry on, that is a copy made before the publish.
            claim, holder = request.get(claims.CLAIM), request.get(claims.HOLDER)
            if claim and not claims.holds(claim, holder):
                logger.info("duplicate dropped: %s, %s", self.name, claim)
                return None
            return results.checked(self, self.perform(args, kwargs))
        except TaskPredicate:
            raise  # Ignore, Reject, Retry: the task has decided
        except Exception as error:
            if request._again is not None:
                raise  # the body has asked for a retry or a replacement already
            if isinstance(error, TypeError):
                arguments.refuse_misfit(self.name, self.run, args, kwargs)
            database_errors.leave_replica(error)
            wait, times = database_errors.next_try(self.policy, error, request.retries)
            if wait is None:
                raise
            raise self.retry(exc=error, countdown=wait, max_retries=times, throw=False) from error

    def retry(self, *args: Any, **options: Any) -> Retry:
        """As Celery's; in a worker the message is sent once the body has ended."""
        request: Any = self.request
        request._error = options.get("exc") or sys.exc_info()[1]
        return super().retry(*args, **options)

    def signature_from_request(
        self,
        request: Any = None,
        args: Any = None,
        kwargs: Any = None,
        queue: str | None = None,
        **options: Any,
    ) -> Any:
        """The next try's message: the caller's headers, and what became of the tries so far."""
        request = request or self.request
        fields = vars(request)
        headers = {**attempts.custom(fields), **(options.get("headers") or {})}
        before, error = headers.get(attempts.HEADER), fields.get("_error")
        headers[attempts.HEADER] = attempts.noted(before, error, request.hostname)
        options["headers"] = headers
        signature: Any = super().signature_from_request(request, args, kwargs, queue, **options)
        if fields.get("_in_body") and not request.is_eager:
            signature.apply_async = partial(setattr, request, "_again", signature)
        return signature

    def on_replace(self, sig: Any) -> Any:
        """As Celery's; in a worker the replacement is sent once the body has ended."""
        request: Any = self.request
        if request.is_eager or not vars(request).get("_in_body"):
            return super().on_replace(sig)
        request._again = sig
        raise Ignore("replaced by another task")

    def _publish_next(self, request: Any) -> TaskPredicate:
        """Sends what `retry` or `replace` has prepared. If that fails the message goes back, whole.

        Celery would drop the message there (Reject without requeue): broker down, task gone.
        """
        request._in_body, signature = False, request._again
        retries = vars(signature).pop("apply_async", None) is not None  # ours, that kept it back
        try:
            signature.apply_async()
        except (ValueError, TypeError, EncodeError):
            raise  # too large, no such queue: no other try to send it would help
        except Exception as error:
            raise Reject(error, requeue=True) from error
        if not retries:
            return Ignore("replaced by another task")
        return Retry(exc=request._error, when=signature.options.get("countdown"), sig=signature)

    def iterate(self, rows: Any, **options: Any) -> Any:
        """A loop that saves its place and goes on in another worker (dutiful/task/iterate.py)."""
        from dutiful.task.iterate import Iteration  # late: models

        return Iteration(self, rows, **options)

    def perform(self, args: Any, kwargs: Any) -> Any:
        """Runs the body, in a worker. A mixin that changes control flow overrides this."""
        # The worker has pushed the request already; the parent's __call__ would push another.
        if hooks.reading is None:
            return self.run(*args, **kwargs)
        with hooks.reading(self):
            return self.run(*args, **kwargs)


if TYPE_CHECKING:
    from celery.result import AsyncResult

    class Declared(CeleryTask[P, R]):
        """A task of ours: `apply_async` takes more options than celery-types knows."""

        def apply_async(self, *args: Any, **options: Any) -> "AsyncResult[R]": ...


Urgent = Literal["urgent", "average", "relaxed"]
Run = Literal["fast", "slow"]
Bind = Literal["io", "compute"]
Reads = Literal["primary", "replica", "delayed"]
"""The primary; a replica that has what the publisher saw, else the primary; `delayed`: not before
the message has been put back once."""


@overload
def task(
    *,
    urgency: Urgent,
    runtime: Run,
    bound: Bind = ...,
    retry_policy: retries.Retry | None = ...,
    reads: Reads = ...,
    bind: Literal[False] = ...,
    **options: Any,
) -> Callable[[Callable[P, R]], "Declared[P, R]"]: ...
@overload
def task(
    *,
    urgency: Urgent,
    runtime: Run,
    bound: Bind = ...,
    retry_policy: retries.Retry | None = ...,
    reads: Reads = ...,
    bind: Literal[True],
    **options: Any,
) -> Callable[[Callable[Concatenate[Any, P], R]], "Declared[P, R]"]: ...
def task(**options: Any) -> Any:
    """Celery's `shared_task` with a typed declaration; the router makes the queue from it.

    Bad declarations are errors of the check `dutiful.E001`, before anything starts.
    """
    return shared_task(**options)
