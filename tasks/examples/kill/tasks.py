"""The task that is there to be interrupted."""

import time
from typing import Final

from dutiful.task import task
from tasks.examples.kill.models import Kill

SECONDS: Final = 6.0
"""Long enough to be killed in, and for the eye; well within what its queue promises (10 s)."""


@task(name="examples.interrupted", urgency="average", runtime="fast")
def interrupted(kill: str, number: int) -> str:
    """Waits, as for somebody else's server. Running twice changes nothing."""
    if not Kill.objects.filter(pk=kill).exists():
        return "nothing to do: called off"
    time.sleep(SECONDS)
    return f"task {number} done"
