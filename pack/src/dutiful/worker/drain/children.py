"""The child processes of a worker that stops: frozen, ended, killed, waited for."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterable
from typing import Any

from dutiful.worker.drain.event_loop import EventLoop


def pids(pool: Any) -> list[int]:
    """Returns the pids of the prefork pool's children and of `multiprocessing`'s."""
    processes = getattr(getattr(pool, "_pool", None), "_pool", None) or ()
    children = [*processes, *multiprocessing.active_children()]
    return [child.pid for child in children if child.pid]


def freeze(children: Iterable[int]) -> None:
    """Stops them without ending them, so that no result and no crash of theirs is noticed."""
    _send(children, signal.SIGSTOP)


def kill(children: Iterable[int]) -> None:
    """Sends SIGKILL; returns at once."""
    _send(children, signal.SIGKILL)


def end_idle(pool: Any, loop: EventLoop, children: list[int], seconds: float) -> None:
    """Ends idle children as Celery does at its stop, so that they send their last signals."""
    processes: Any = getattr(pool, "_pool", None)
    if not children or not hasattr(processes, "_stop_task_handler"):
        return
    deadline = time.monotonic() + seconds

    def end() -> None:
        processes._worker_handler.close()  # or it would start new children
        processes._stop_task_handler(processes._task_handler)

    if loop.call(end, seconds):
        reap(children, deadline - time.monotonic())


def reap(children: Iterable[int], seconds: float) -> None:
    """Waits that long at most for them to end, so that none stays behind as a zombie."""
    deadline = time.monotonic() + seconds
    while not all(_gone(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.01)


def _gone(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True  # other code has waited for it


def _send(children: Iterable[int], number: signal.Signals) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)
