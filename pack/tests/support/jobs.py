"""Tasks for tests that watch a run: `start_worker(..., "-I", "tests.support.jobs")` serves them."""

import contextlib
import os
import signal
import time

from celery.exceptions import SoftTimeLimitExceeded

from dutiful.idempotency import IdempotentTask
from dutiful.task import task
from dutiful.task.retries import NEVER, Retry

TWICE = Retry(times=2, backoff=0.0, floor=0.1)


@task(name="jobs.say", urgency="urgent", runtime="fast")
def say(word: str) -> str:
    return word


@task(name="jobs.rest", urgency="urgent", runtime="fast")
def rest(seconds: float) -> None:
    time.sleep(seconds)


@task(name="jobs.fail", urgency="urgent", runtime="fast", retry_policy=NEVER)
def fail(person: str) -> None:
    token = f"token-of-{person}"
    raise ValueError(f"no room for {person} ({len(token)})")


@task(name="jobs.fail_always", urgency="urgent", runtime="fast", retry_policy=TWICE)
def fail_always() -> None:
    raise RuntimeError("the other side is away")


@task(
    name="jobs.pay_never",
    base=IdempotentTask,
    urgency="urgent",
    runtime="fast",
    retry_policy=NEVER,
)
def pay_never(person: str) -> None:
    raise LookupError("no such order")


@task(
    name="jobs.fail_in_the_end",
    base=IdempotentTask,
    urgency="urgent",
    runtime="fast",
    retry_policy=Retry(times=1, backoff=0.0, floor=0.1),
)
def fail_in_the_end(person: str, password: str) -> None:
    raise ConnectionError(f"redis://:{password}@queue/0 is away for {person}")


@task(name="jobs.tag_itself", urgency="urgent", runtime="fast", retry_policy=NEVER)
def tag_itself() -> None:
    import sentry_sdk  # late: other tests serve these tasks without it

    sentry_sdk.set_tag("mine", "yes")
    raise LookupError("no such order")


@task(
    name="jobs.die",
    urgency="average",
    runtime="slow",
    bound="compute",
    retry_policy=NEVER,
)
def die() -> None:
    """Kills its own process, as the kernel does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


@task(
    name="jobs.fail_computing",
    urgency="average",
    runtime="slow",
    bound="compute",
    retry_policy=NEVER,
)
def fail_computing(person: str) -> None:
    raise ValueError(f"cannot compute for {person}")


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
    """Ignores its soft time limit."""
    with contextlib.suppress(SoftTimeLimitExceeded):
        time.sleep(30)
    time.sleep(30)
