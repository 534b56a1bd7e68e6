"""Celery's route function: the queue of a task is the one that its declaration names."""

from typing import Any, Final

from celery.app.routes import MapRoute
from celery.exceptions import QueueNotFound
from celery.utils.functional import maybe_evaluate

from dutiful.catalogue.classes import Bound, QueueClass, closest
from dutiful.conf.queues import (
    NotInCatalogue,
    advice,
    by_name,
    catalogue,
    find,
    housekeeping,
    known,
    names,
)
from dutiful.publishing import undeclared

PACKS: Final = "dutiful."


def declared(task: Any) -> QueueClass:
    """The queue class of a task. Raises NotInCatalogue naming the task, the nearest, the choices.

    Celery's own tasks (`celery.…`) run with the housekeeping: nobody can declare theirs. A task of
    the pack runs in the closest class where the catalogue has not the one that it declares.
    """
    if task.name.startswith(undeclared.CELERYS):
        return housekeeping()
    urgency, runtime = getattr(task, "urgency", None), getattr(task, "runtime", None)
    bound = getattr(task, "bound", Bound.IO) if safe(task) else Bound.COMPUTE
    fallback = undeclared.queue_of(task) if undeclared.is_undeclared(task) else None
    if fallback is not None and (safe(task) or fallback.bound == Bound.COMPUTE):
        return fallback
    if urgency is None or runtime is None:
        raise NotInCatalogue(
            f"task {task.name} declares no urgency and runtime. {advice(urgency, runtime, bound)}"
        )
    try:
        return find(urgency, runtime, bound)
    except NotInCatalogue as error:
        if task.name.startswith(PACKS):
            return closest(catalogue(), urgency, runtime, bound)
        why = "" if safe(task) else " it is thread_safe=False, so only processes may run it:"
        raise NotInCatalogue(f"task {task.name}:{why} {error}") from None


def safe(task: Any) -> bool:
    """Whether it may run on threads."""
    return bool(getattr(task, "thread_safe", True))


def route(
    name: str, args: Any, kwargs: Any, options: dict[str, Any], task: Any = None, **_: Any
) -> dict[str, str]:
    """A queue named by the caller (and in the catalogue) wins; else the task's own.

    Raises NotInCatalogue for a queue, a declaration, or a name sent without either.
    """
    queue = options.get("queue")
    if queue is not None:
        found = by_name(getattr(queue, "name", queue))
        if not safe(task) and found.bound != Bound.COMPUTE:
            raise NotInCatalogue(
                f"task {name} is thread_safe=False and threads serve {found.name}: choose a queue"
                " that is bound by compute."
            )
        return {"queue": found.name}
    if task is None:
        raise NotInCatalogue(
            f"{name!r} is not a task of this project, so its queue is unknown:"
            " pass send_task(..., queue=...)."
        )
    return {"queue": declared(task).name}


def queue_of(router: Any, task: Any, named: Any) -> Any:
    """kombu's Queue of all calls of a task that name this queue (None: no queue).

    `router` is Celery's, made of `task_routes`. None: Celery must ask them at each call, since they
    have a function of the host's or set other options than the queue. Raises NotInCatalogue.
    """
    for one in router.routes:
        if not isinstance(one, MapRoute) and maybe_evaluate(one) is not route:
            return None
    try:
        found = router.route({} if named is None else {"queue": named}, task.name, (), {}, task)
        missing = None if known(found["queue"].name) else f"Queue {found['queue'].name!r} is new"
    except QueueNotFound as error:
        missing = str(error)
    if missing is not None:
        raise NotInCatalogue(
            f"task_routes send {task.name} to a queue that the catalogue does not have ({missing})."
            f" Add the queue, or change the route to one of {', '.join(names())}."
        )
    return found["queue"] if found.keys() == {"queue"} else None
