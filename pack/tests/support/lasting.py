"""Tasks that last, for tests of stopping: `-I tests.support.lasting` serves them."""

import os
import sys
import time
from typing import Any

from celery.worker.control import control_command

from dutiful.task import task
from dutiful.worker.drain import current as drain
from tests.support.tasks import note


@task(name="lasting.last", urgency="average", runtime="slow")
def last(key: str, seconds: float) -> None:
    """Notes its start and its end."""
    note(key, "start")
    time.sleep(seconds)
    note(key, "end")


@task(name="lasting.limited", urgency="average", runtime="slow", rate_limit="1/m")
def limited(key: str) -> None:
    note(key, "start")


@task(name="lasting.deaf", urgency="average", runtime="slow", soft_time_limit=2, time_limit=2)
def deaf(key: str) -> None:
    """Stays until it is killed."""
    if note(key, "start") == 1:
        time.sleep(60)


@task(name="lasting.pid", urgency="average", runtime="slow", bind=True)
def pid(self: Any, key: str) -> None:
    """Notes in which process it ran."""
    note(key, str(os.getpid()))


def broadcast(command: str) -> None:
    """Sends a command to all workers: `block_the_loop` never returns, `renew` starts them again."""
    from dutiful.drills.host.celery import app

    app.control.broadcast(command)


@control_command()
def block_the_loop(state: Any) -> None:
    time.sleep(600)


@control_command()
def renew(state: Any) -> None:
    drain.begin("a test asks", lambda: os.execv(sys.executable, sys.orig_argv))
