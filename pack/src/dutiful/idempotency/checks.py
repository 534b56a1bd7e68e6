"""System checks on the declarations of idempotent and unique tasks."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from dutiful.current import app as current_app
from dutiful.idempotency.mixin import IdempotencyKeyMixin
from dutiful.idempotency.unique import UniqueTask


def check_tasks(**_: Any) -> list[CheckMessage]:
    """dutiful.E201: an unknown mode of a unique task; dutiful.E202: an unknown database."""
    app = current_app()
    app.loader.import_default_modules()
    return [found for name in sorted(app.tasks) for found in _problems(app.tasks[name])]


def _problems(task: Any) -> Iterator[CheckMessage]:
    if isinstance(task, UniqueTask) and task.until not in ("executing", "executed"):
        yield Error(
            f"until={task.until!r} is not a mode of a unique task.",
            hint='Choose "executing" (one waits) or "executed" (one waits or runs).',
            obj=task.name,
            id="dutiful.E201",
        )
    if (
        isinstance(task, IdempotencyKeyMixin)
        and task.idempotency_database not in settings.DATABASES
    ):
        yield Error(
            f"idempotency_database={task.idempotency_database!r} is not in DATABASES.",
            hint=f"It is one of {', '.join(settings.DATABASES)}.",
            obj=task.name,
            id="dutiful.E202",
        )
