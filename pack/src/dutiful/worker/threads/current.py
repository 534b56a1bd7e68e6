"""The job that the present thread runs, for what happens inside its task."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dutiful.worker.threads.job import Job

Callback = Callable[..., Any]


class _Current(threading.local):
    job: "Job | None" = None


current = _Current()


def guard(run: Callback) -> Callback:
    """A task's function, told apart from Celery's work around it by the job that runs it."""

    @wraps(run)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        job = current.job
        return run(*args, **kwargs) if job is None else job.in_body(run, args, kwargs)

    return guarded


@contextmanager
def undisturbed() -> Iterator[None]:
    """The task that this thread runs, if any, meets its limits only after this."""
    job = current.job
    if job is None or not job.hold():
        yield
        return
    try:
        yield
    finally:
        job.go_on()
