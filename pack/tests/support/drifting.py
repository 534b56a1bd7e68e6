"""Tasks that declare what they are not. Workers load them with `-I tests.support.drifting`."""

import time
from typing import Final

from dutiful.task import task

KEPT: Final[list[bytes]] = []
MB: Final = 1024 * 1024


@task(urgency="average", runtime="fast")
def computes() -> int:
    """Declared io; it takes a quarter of a second of processor."""
    end, count = time.thread_time() + 0.25, 0
    while time.thread_time() < end:
        count += 1
    return count


@task(urgency="urgent", runtime="fast")
def dawdles() -> None:
    """Longer than the second of its class."""
    time.sleep(1.2)


@task(urgency="average", runtime="fast")
def fits() -> None:
    time.sleep(0.02)


@task(urgency="average", runtime="slow")
def leaks(size: int) -> None:
    """Keeps so many megabytes, touched, for ever. On either pool."""
    KEPT.append(bytes(bytearray(b"x") * (size * MB)))
