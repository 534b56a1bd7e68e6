"""The task of drill `replay`, ours."""

from drills import paying
from tasks.base import task
from tasks.retries import Retry


@task(
    name="drills.charge",
    urgency="average",
    runtime="fast",
    retry_policy=Retry(times=paying.TIMES, backoff=0.0, floor=1.0),
)
def charge(number: int, sent: float) -> None:
    """Fails while the other side is away."""
    paying.charge(number, sent)
