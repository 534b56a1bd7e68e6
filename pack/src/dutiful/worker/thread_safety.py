"""A worker with threads does not serve the queue of a task that is not safe on them.

The router sends such tasks to processes; this is for who starts a worker with `-P threads`.
"""

from collections.abc import Collection
from typing import Any

from dutiful.publishing.router import declared, safe


def unsafe(app: Any, queues: Collection[str]) -> list[str]:
    """Names of the tasks that threads must not run, though their queue is among these."""
    return sorted(
        task.name for task in app.tasks.values() if not safe(task) and declared(task).name in queues
    )
