"""A task of the next release: only workers with `-I tests.support.newer` know it."""

from dutiful.task import task
from tests.support.rabbiting import note


@task(name="newer.task", urgency="average", runtime="slow")
def newer(path: str) -> None:
    note(path, "newer")
