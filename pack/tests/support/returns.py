"""Tasks with a result: `-I tests.support.returns` serves them."""

from dutiful.task import task
from tests.support.tasks import note


@task(name="returns.letters", urgency="average", runtime="fast")
def letters(key: str, size: int) -> str:
    """Returns a text with this many characters."""
    note(key, "letters")
    return "x" * size


@task(name="returns.count", urgency="average", runtime="fast")
def count(text: str, key: str) -> int:
    """Returns the length of its argument."""
    note(key, "count")
    return len(text)
