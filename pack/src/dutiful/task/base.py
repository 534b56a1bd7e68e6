"""The base task: late acks, a declared queue class, time limits and retries by default.

A retry or a replacement that the body asks for is published after the body has ended. So a request
inside `atomic()` is neither rolled back with the transaction nor sent before its commit.
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
from dutiful.task import arguments, attempts, database_errors, dispatch, results, retries

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class Task(DjangoTask[Any, Any]):
    """The base class of all tasks. A task declares `urgency` and `runtime`; the rest follows.

    `retry_policy` is one of `dutiful.task.retries`; the default is the urgency's.
    """

    abstract = True
    Request = "dutiful.task.request:Request"
    urgency: str | None = None
    runtime: str | None = None
    bound: str = "io"
    thread_safe: bool = True
    """False sends the task to the processes of a compute queue, whatever it is bound by."""
    retry_policy: retries.Retry | None = None
    outbox = True
    """Whether calls of the task go through the outbox, if that is installed (dutiful/outbox)."""
    aliases: tuple[str, ...] = ()
    """Earlier names of the task, which still run it (dutiful/task/aliases.py)."""
    reads: str = ""
    """Where the body reads: one of `Reads`, or "" to follow REPLICA_READS (dutiful/replicas)."""
    dead_letter_expired: bool = False
    """Whether a message past its `expires` becomes a dead letter. Celery drops it."""

    @property
    def queue_class(self) -> QueueClass:
        """The task's queue. Raises NotInCatalogue if the declaration is missing or wrong."""
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
        """Takes the time limits from the catalogue, unless the task has limits of its own.

        For a stock task the limits of Celery's settings come first, and its retries stay its own.
        """
        task = app.tasks.get(cls.name) or cls()
        try:
            queue, policy = task.queue_class, task.policy
        except NotInCatalogue:
            return  # the check dutiful.E001 reports it, and nothing starts
        if is_undeclared(task):
            cls.soft_time_limit = cls.soft_time_limit or app.conf.task_soft_time_limit
            cls.time_limit = cls.time_limit or app.conf.task_time_limit
        cls.soft_time_limit = cls.soft_time_limit or queue.soft_time_limit
        cls.time_limit = cls.time_limit or queue.time_limit
        if is_undeclared(task) and task.retry_policy is None:
            return
        # Celery reads these two when a child of the pool is lost.
        cls.max_retries = policy.times
        cls.default_retry_delay = int(policy.ceiling(0))

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """As Celery's. Raises TypeError for an idempotency key, which this class ignores."""
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
                    raise again from error  # the next attempt is published: the task has not failed
            raise
        if request._again is not None:  # retry(throw=False)
            self._publish_next(request)
        return result

    def _attempt(self, request: Any, args: Any, kwargs: Any) -> Any:
        try:
            # Not request.headers: with Sentry on, it is a copy made before the publish.
            token, holder = request.get(dispatch.TOKEN), request.get(dispatch.HOLDER)
            if token and not dispatch.holds(token, holder):
                logger.info("duplicate dropped: %s, %s", self.name, token)
                return None
            return results.checked(self, self.perform(args, kwargs))
        except TaskPredicate:
            raise  # Ignore, Reject, Retry: the task has decided itself
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
        """As Celery's, but in a worker the message is sent after the body has ended."""
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
        """The next attempt's message, with the caller's headers and notes of failed attempts."""
        request = request or self.request
        fields = vars(request)
        headers = {**attempts.custom(fields), **(options.get("headers") or {})}
        before, error = headers.get(attempts.HEADER), fields.get("_error")
        headers[attempts.HEADER] = attempts.with_attempt(before, error, request.hostname)
        options["headers"] = headers
        signature: Any = super().signature_from_request(request, args, kwargs, queue, **options)
        if fields.get("_in_body") and not request.is_eager:
            signature.apply_async = partial(setattr, request, "_again", signature)
        return signature

    def on_replace(self, sig: Any) -> Any:
        """As Celery's, but in a worker the replacement is sent after the body has ended."""
        request: Any = self.request
        if request.is_eager or not vars(request).get("_in_body"):
            return super().on_replace(sig)
        request._again = sig
        raise Ignore("replaced by another task")

    def _publish_next(self, request: Any) -> TaskPredicate:
        """Sends the message that `retry` or `replace` has prepared. The caller raises the result.

        If the broker does not take it, the current message is requeued unchanged (Reject). Celery
        would drop it, and the task would be lost.
        """
        request._in_body, signature = False, request._again
        retries = (
            vars(signature).pop("apply_async", None) is not None
        )  # set by signature_from_request
        try:
            signature.apply_async()
        except (ValueError, TypeError, EncodeError):
            raise  # too large, or no such queue: sending it again would not help
        except Exception as error:
            raise Reject(error, requeue=True) from error
        if not retries:
            return Ignore("replaced by another task")
        return Retry(exc=request._error, when=signature.options.get("countdown"), sig=signature)

    def iterate(self, rows: Any, **options: Any) -> Any:
        """A loop that saves its place and resumes in another worker (dutiful/task/iterate.py)."""
        from dutiful.task.iterate import Iteration  # late: models

        return Iteration(self, rows, **options)

    def perform(self, args: Any, kwargs: Any) -> Any:
        """Runs the body in a worker. A mixin that changes the control flow overrides this."""
        # The worker has pushed the request; the __call__ of the parent class would push another.
        if hooks.reading is None:
            return self.run(*args, **kwargs)
        with hooks.reading(self):
            return self.run(*args, **kwargs)


if TYPE_CHECKING:
    from celery.result import AsyncResult

    class Declared(CeleryTask[P, R]):
        """The type of a decorated function. celery-types lacks some options of `apply_async`."""

        def apply_async(self, *args: Any, **options: Any) -> "AsyncResult[R]": ...


Urgent = Literal["urgent", "average", "relaxed"]
Run = Literal["fast", "slow"]
Bind = Literal["io", "compute"]
Reads = Literal["primary", "replica", "delayed"]
"""`primary`; or `replica`: one that has replayed what the publisher saw, else the primary; or
`delayed`: as `replica`, but the message is put back once before the primary is used."""


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
    """Celery's `shared_task` with a typed declaration, from which the router derives the queue.

    The check `dutiful.E001` refuses a wrong declaration before anything starts.
    """
    return shared_task(**options)
