"""Tasks for tests of the transport: `-I tests.support.transport_tasks` serves them."""

import time
from typing import Any

from dutiful.task import task
from tests.support.tasks import note


@task(name="transport.nothing", urgency="urgent", runtime="fast")
def nothing() -> None:
    """What a task costs without its work."""


@task(name="transport.counted", urgency="average", runtime="slow", bind=True)
def counted(self: Any, key: str, seconds: float = 0) -> None:
    """Notes when it runs, and with which eta it came."""
    note(key, f"{time.time():.3f}")
    time.sleep(seconds)
