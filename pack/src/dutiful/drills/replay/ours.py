"""The task of drill `replay` on this pack."""

from dutiful.drills.replay import dependency
from dutiful.task import task
from dutiful.task.retries import Retry


@task(
    name="drills.charge",
    urgency="average",
    runtime="fast",
    retry_policy=Retry(times=dependency.TIMES, backoff=0.0, floor=1.0),
)
def charge(number: int, sent: float) -> None:
    """Fails while its dependency is unavailable."""
    dependency.charge(number, sent)
