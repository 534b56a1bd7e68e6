"""The task of drill `storm` on this pack."""

from dutiful.drills.storm import failure
from dutiful.task import task
from dutiful.task.retries import NEVER


@task(name="drills.charge", urgency="average", runtime="fast", retry_policy=NEVER)
def charge(number: int, sent: float) -> None:
    """Fails at once, without retries."""
    failure.charge(number, sent)
