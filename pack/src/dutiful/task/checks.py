"""The system checks on registered tasks, at every start of the web, a worker or beat.

`manage.py check` also reads the source of the tasks (dutiful/lint).
"""

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error

from dutiful.conf.queues import NotInCatalogue
from dutiful.publishing.router import declared
from dutiful.publishing.undeclared import is_undeclared, strays
from dutiful.task.base import Task
from dutiful.task.rules import ALIAS, STOCK, UNDECLARED


def check_declarations(**_: Any) -> list[CheckMessage]:
    """dutiful.E001: a task whose declaration is missing or names no queue of the catalogue.

    dutiful.W010: a stock task that runs in the queue for those that declare nothing.
    """
    from celery import current_app as app

    app.loader.import_default_modules()
    found: list[CheckMessage] = []
    for task in sorted(app.tasks.values(), key=lambda task: str(task.name)):
        try:
            queue = declared(task)
            if is_undeclared(task):
                found.append(_stock(task, queue.name))
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


def _stock(task: Any, queue: str) -> CheckMessage:
    text = f"{task.name} declares no urgency and runtime, so it runs in {queue}"
    if stray := strays.get(task.name):
        text += f", although it names the queue {stray!r}, which the catalogue lacks"
    if not isinstance(task, Task):
        bases = ", ".join(f"{base.__module__}.{base.__qualname__}" for base in type(task).__bases__)
        text += (
            f"; its base {bases} is not dutiful's Task, so declarations, retries by policy and"
            " limits of its queue do not apply to it"
        )
    return checks.Warning(f"{text}.", hint=STOCK.fix, obj=task.name, id=STOCK.id)


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
