"""The job that the present thread runs, for code that runs inside its task."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Protocol

Callback = Callable[..., Any]


class Interruptible(Protocol):
    """A running job whose time limits may be raised in this thread (`threads/job.py`)."""

    def run_body(self, run: Callback, args: Any, kwargs: Any) -> Any:
        """Calls the task's own function; a limit may be raised meanwhile."""

    def suspend_limits(self) -> bool:
        """Raises no limit from now on. False if none could be raised anyway."""

    def resume_limits(self) -> None:
        """Lets limits be raised again."""


class _Current(threading.local):
    job: Interruptible | None = None


current = _Current()


def guard(run: Callback) -> Callback:
    """Wraps a task's function, so that limits are raised in it and not in Celery's code around it.

    Without a job in this thread, as in a test or in another pool, the function is just called.
    """

    @wraps(run)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        job = current.job
        return run(*args, **kwargs) if job is None else job.run_body(run, args, kwargs)

    return guarded


@contextmanager
def undisturbed() -> Iterator[None]:
    """Postpones the limits of this thread's task, if it runs one, to the end of the block."""
    job = current.job
    if job is None or not job.suspend_limits():
        yield
        return
    try:
        yield
    finally:
        job.resume_limits()
