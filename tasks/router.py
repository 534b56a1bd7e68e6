"""Celery's route function: the queue of a task is the one that its declaration names."""

from typing import Any

from tasks.queues import HOUSEKEEPING, NotInCatalogue, QueueClass, advice, by_name, find


def declared(task: Any) -> QueueClass:
    """The queue class of a task. Raises NotInCatalogue naming the task, the nearest, the choices.

    Celery's own tasks (`celery.…`) run with the housekeeping: nobody can declare theirs.
    """
    if task.name.startswith("celery."):
        return HOUSEKEEPING
    if task.urgency is None or task.runtime is None:
        raise NotInCatalogue(
            f"task {task.name} declares no urgency and runtime."
            f" {advice(task.urgency, task.runtime, task.bound)}"
        )
    try:
        return find(task.urgency, task.runtime, task.bound)
    except NotInCatalogue as error:
        raise NotInCatalogue(f"task {task.name}: {error}") from None


def route(
    name: str, args: Any, kwargs: Any, options: dict[str, Any], task: Any = None, **_: Any
) -> dict[str, str]:
    """A queue named by the caller (and in the catalogue) wins; else the task's own.

    Raises NotInCatalogue for a queue, a declaration, or a name sent without either.
    """
    queue = options.get("queue")
    if queue is not None:
        return {"queue": by_name(getattr(queue, "name", queue)).name}
    if task is None:
        raise NotInCatalogue(
            f"{name!r} is not a task of this project, so its queue is unknown:"
            " pass send_task(..., queue=...)."
        )
    return {"queue": declared(task).name}
