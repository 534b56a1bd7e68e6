"""The task of drill `replay`, ours."""

from dutiful.drills import paying
from dutiful.task import task
from dutiful.task.retries import Retry


@task(
    name="drills.charge",
    urgency="average",
    runtime="fast",
    retry_policy=Retry(times=paying.TIMES, backoff=0.0, floor=1.0),
)
def charge(number: int, sent: float) -> None:
    """Fails while the other side is away."""
    paying.charge(number, sent)
