"""Finds tasks that are not safe on threads and that a worker with threads would serve.

The router sends such tasks to processes. This check is for a worker started with `-P threads`.
"""

from collections.abc import Collection
from typing import Any

from dutiful.publishing.router import declared, safe


def unsafe(app: Any, queues: Collection[str]) -> list[str]:
    """Returns the names of tasks of these queues that must not run on threads."""
    return sorted(
        task.name for task in app.tasks.values() if not safe(task) and declared(task).name in queues
    )
