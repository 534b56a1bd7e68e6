"""The base task: late acks, a declared queue class, time limits and retries by default."""

import logging
from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from celery import shared_task
from celery.app.task import Task as CeleryTask
from celery.contrib.django.task import DjangoTask
from celery.exceptions import Reject, TaskPredicate

from tasks import claims, retries
from tasks.queues import NotInCatalogue, QueueClass
from tasks.router import declared

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class Task(DjangoTask[Any, Any]):
    """What every task of the project is. Declare `urgency` and `runtime`; the rest follows.

    `retry_policy` is one of `tasks.retries`; the default is the urgency's.
    """

    abstract = True
    Request = "tasks.request:Request"
    urgency: str | None = None
    runtime: str | None = None
    bound: str = "io"
    retry_policy: retries.Retry | None = None

    @property
    def queue_class(self) -> QueueClass:
        """Raises NotInCatalogue where the declaration is missing or wrong."""
        return declared(self)

    @property
    def policy(self) -> retries.Retry:
        return self.retry_policy or retries.DEFAULTS[self.queue_class.urgency]

    @classmethod
    def on_bound(cls, app: Any) -> None:
        """Limits from the catalogue, unless the task brings its own."""
        task = app.tasks.get(cls.name) or cls()
        try:
            queue, policy = task.queue_class, task.policy
        except NotInCatalogue:
            return  # the check tasks.E001 says so, and nothing starts
        cls.soft_time_limit = cls.soft_time_limit or queue.soft_time_limit
        cls.time_limit = cls.time_limit or queue.time_limit
        # Celery reads these two when a pool's child is lost.
        cls.max_retries = policy.times
        cls.default_retry_delay = int(policy.ceiling(0))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        try:
            # Not request.headers: with Sentry on, that is a copy made before the publish.
            claim, holder = self.request.get(claims.CLAIM), self.request.get(claims.HOLDER)
            if claim and not claims.holds(claim, holder):
                logger.info("duplicate dropped: %s, %s", self.name, claim)
                return None
            # The worker has pushed the request already; the parent would push another.
            return self.run(*args, **kwargs)
        except TaskPredicate:
            raise  # Ignore, Reject, Retry: the task has decided
        except Exception as error:
            wait = self.policy.wait(error, self.request.retries)
            if wait is None:
                raise
            raise self._again(error, wait) from error

    def _again(self, error: Exception, wait: float) -> TaskPredicate:
        """Publishes the next try. If that fails the message goes back to its queue, whole."""
        try:
            return self.retry(exc=error, countdown=wait, max_retries=self.policy.times, throw=False)
        except Reject as unpublished:
            # Celery would drop the message here (requeue=False): broker down, task gone.
            return Reject(unpublished.args[0], requeue=True)


Urgent = Literal["urgent", "average", "relaxed"]
Run = Literal["fast", "slow"]
Bind = Literal["io", "compute"]


@overload
def task(
    *,
    urgency: Urgent,
    runtime: Run,
    bound: Bind = ...,
    retry_policy: retries.Retry | None = ...,
    bind: Literal[False] = ...,
    **options: Any,
) -> Callable[[Callable[P, R]], "CeleryTask[P, R]"]: ...
@overload
def task(
    *,
    urgency: Urgent,
    runtime: Run,
    bound: Bind = ...,
    retry_policy: retries.Retry | None = ...,
    bind: Literal[True],
    **options: Any,
) -> Callable[[Callable[Concatenate[Any, P], R]], "CeleryTask[P, R]"]: ...
def task(**options: Any) -> Any:
    """Celery's `shared_task` with a typed declaration; the router makes the queue from it.

    Bad declarations are errors of the check `tasks.E001`, before anything starts.
    """
    return shared_task(**options)
