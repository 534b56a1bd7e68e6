"""Tasks for tests that watch a run: `start_worker(..., "-I", "tests.support.jobs")` serves them."""

import contextlib
import os
import signal
import time

from celery.exceptions import SoftTimeLimitExceeded

from tasks.base import task
from tasks.retries import NEVER, Retry

TWICE = Retry(times=2, backoff=0.0, floor=0.1)


@task(name="jobs.say", urgency="urgent", runtime="fast")
def say(word: str) -> str:
    return word


@task(name="jobs.fail", urgency="urgent", runtime="fast", retry_policy=NEVER)
def fail(person: str) -> None:
    token = f"token-of-{person}"
    raise ValueError(f"no room for {person} ({len(token)})")


@task(name="jobs.fail_always", urgency="urgent", runtime="fast", retry_policy=TWICE)
def fail_always() -> None:
    raise RuntimeError("the other side is away")


@task(
    name="jobs.die",
    urgency="average",
    runtime="slow",
    bound="compute",
    retry_policy=NEVER,
)
def die() -> None:
    """As the kernel does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


@task(
    name="jobs.fail_computing",
    urgency="average",
    runtime="slow",
    bound="compute",
    retry_policy=NEVER,
)
def fail_computing(person: str) -> None:
    raise ValueError("cannot compute")


@task(
    name="jobs.hang",
    urgency="average",
    runtime="slow",
    bound="compute",
    retry_policy=NEVER,
    soft_time_limit=1,
    time_limit=2,
)
def hang() -> None:
    """Deaf to its soft limit."""
    with contextlib.suppress(SoftTimeLimitExceeded):
        time.sleep(30)
    time.sleep(30)
