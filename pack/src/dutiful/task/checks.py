"""The system checks on registered tasks, at every start of the web, a worker or beat.

`manage.py check` also reads the source of the tasks (dutiful/lint).
"""

from typing import Any

from django.core.checks import CheckMessage, Error

from dutiful.conf.queues import NotInCatalogue
from dutiful.publishing.router import declared
from dutiful.task.rules import ALIAS, UNDECLARED


def check_declarations(**_: Any) -> list[CheckMessage]:
    """dutiful.E001: a task whose declaration is missing or names no queue of the catalogue."""
    from celery import current_app as app

    app.loader.import_default_modules()
    found: list[CheckMessage] = []
    for task in sorted(app.tasks.values(), key=lambda task: str(task.name)):
        try:
            declared(task)
        except NotInCatalogue as error:
            found.append(
                Error(
                    str(error),
                    hint=UNDECLARED.fix,
                    obj=task.name,
                    id=UNDECLARED.id,
                )
            )
    return found


def check_aliases(**_: Any) -> list[CheckMessage]:
    """dutiful.E002: an alias that is also the name or an alias of another task."""
    from celery import current_app as app

    app.loader.import_default_modules()
    tasks = {task.name: task for task in app.tasks.values()}
    owners: dict[str, list[str]] = {name: [name] for name in sorted(tasks)}
    found: list[CheckMessage] = []
    for name, task in sorted(tasks.items()):
        for alias in getattr(task, "aliases", ()):
            others = [other for other in owners.get(alias, []) if other != name]
            owners.setdefault(alias, []).append(name)
            found += [
                Error(
                    f"its alias {alias!r} is {'the name' if other == alias else 'an alias'} of"
                    f" {other}.",
                    hint=ALIAS.fix,
                    obj=name,
                    id=ALIAS.id,
                )
                for other in others
            ]
    return found
