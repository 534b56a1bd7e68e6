"""A renamed task goes on answering to its old names: `@task(aliases=("app.old_name",), ...)`.

Old releases still send the old name, and messages of theirs still carry it, also as the next step
of a chain. Remove an alias when no message can bear it any more.
"""

from typing import Any


def install(app: Any) -> None:
    """Adds every task's aliases to the app's registry, in a worker, before its pool starts.

    A name that a task bears itself is never an alias of another.
    """
    for name, task in list(app.tasks.items()):
        aliases = getattr(task, "aliases", ())
        for alias in aliases:
            app.tasks.setdefault(alias, task)
        if aliases:
            # Celery gives a task the last of its names in the logs: that is to be its own.
            app.tasks[name] = app.tasks.pop(name)
