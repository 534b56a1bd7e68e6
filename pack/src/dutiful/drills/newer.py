"""The next release's task, ours. Workers know it only with `-I dutiful.drills.newer`."""

from dutiful.drills import work
from dutiful.task import task


@task(urgency="average", runtime="fast", name="drills.newcomer")
def newcomer(number: int, sent: float) -> None:
    """A task that only the new release knows."""
    work.newcomer(number, sent)
