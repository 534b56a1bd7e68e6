"""The task of drill `storm`, ours."""

from dutiful.drills import storm_failure
from dutiful.task import task
from dutiful.task.retries import NEVER


@task(name="drills.charge", urgency="average", runtime="fast", retry_policy=NEVER)
def charge(number: int, sent: float) -> None:
    """Fails at once."""
    storm_failure.charge(number, sent)
