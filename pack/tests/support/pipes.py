"""Tasks whose messages are larger than a pipe takes at once, or than it holds."""

from pathlib import Path

from dutiful.task import task
from dutiful.task.retries import NEVER


@task(name="pipes.weigh", urgency="average", runtime="slow", bound="compute", retry_policy=NEVER)
def weigh(path: str, text: str) -> None:
    """Adds one line to the file: how long the text was."""
    with Path(path).open("a") as file:
        file.write(f"{len(text)}\n")


@task(name="pipes.complain", urgency="average", runtime="slow", bound="compute", retry_policy=NEVER)
def complain(size: int) -> None:
    """Fails with an error of `size` bytes, which its child sends to the main process."""
    raise ValueError("x" * size)
