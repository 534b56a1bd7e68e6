"""Old names of a renamed task still run it: `@task(aliases=("app.old_name",), ...)`.

Old releases still send the old name, and messages in the broker carry it, also as the next step of
a chain. Remove an alias when no message can have it any more.
"""

from typing import Any


def install(app: Any) -> None:
    """Adds every task's aliases to the app's registry, in a worker, before its pool starts.

    A registered name of a task is never overwritten by an alias.
    """
    for name, task in list(app.tasks.items()):
        aliases = getattr(task, "aliases", ())
        for alias in aliases:
            app.tasks.setdefault(alias, task)
        if aliases:
            # Celery logs the last registered name of a task: register its own name again.
            app.tasks[name] = app.tasks.pop(name)
