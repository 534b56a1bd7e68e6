"""The next release's task, ours. Workers know it only with `-I drills.newer`."""

from drills import work
from tasks.base import task


@task(urgency="average", runtime="fast", name="drills.newcomer")
def newcomer(number: int, sent: float) -> None:
    """A task that only the new release knows."""
    work.newcomer(number, sent)
