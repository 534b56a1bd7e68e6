"""The drain of this process: begun from anywhere in it, and asked about."""

import os
from collections.abc import Callable
from typing import Any

from celery.worker.control import control_command

from dutiful.worker.drain.steps import Drain

_drain: Drain | None = None


def _forget() -> None:
    global _drain
    _drain = None


os.register_at_fork(after_in_child=_forget)  # a pool's child is no worker


def install(drain: Drain) -> None:
    """Makes this the drain of the process, and has it receive the process's signals.

    Call it in the main thread, once Celery has set its own signal handlers.
    """
    global _drain
    _drain = drain
    drain.listen()


def begin(reason: str, then: Callable[[], None] | None = None) -> bool:
    """Drains this worker as a SIGTERM would. False if it drains already, or if this is no worker.

    It may be called from any thread and returns at once. `then` is called in place of the exit once
    nothing is held any more (an execv, say), unless a signal asks for the exit meanwhile.
    """
    return _drain is not None and _drain.begin(reason, then)


def begun() -> bool:
    """Whether this worker drains, so that nothing new may be started."""
    return _drain is not None and _drain.begun


@control_command(name="shutdown")
def _shutdown(state: Any, msg: str = "Got shutdown from remote", **_: Any) -> None:
    """`celery control shutdown`. Celery's own command waits without limit."""
    begin(msg)
