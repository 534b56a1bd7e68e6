"""The new release's task on this pack. Workers load it with `-I dutiful.drills.unknown.ours`."""

from dutiful.drills import task_bodies
from dutiful.task import task


@task(urgency="average", runtime="fast", name="drills.newcomer")
def newcomer(number: int, sent: float) -> None:
    """The task that only the new release has."""
    task_bodies.newcomer(number, sent)
