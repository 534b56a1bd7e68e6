"""System checks on tasks. Errors are for what loses or doubles work; style is a warning."""

from typing import Any

from django.core.checks import CheckMessage, Error

from tasks.queues import NotInCatalogue
from tasks.router import declared


def check_declarations(**_: Any) -> list[CheckMessage]:
    """tasks.E001: a task whose declaration is missing, or not in the catalogue."""
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
                    hint="Declare what it needs where the task is defined.",
                    obj=task.name,
                    id="tasks.E001",
                )
            )
    return found
