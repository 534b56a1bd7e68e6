"""System checks on where tasks read, at every start."""

from typing import Any

from django.core.checks import CheckMessage, Error

from dutiful.catalogue.classes import Urgency
from dutiful.conf.queues import names
from dutiful.database.replicas import REPLICA_HOLD, REPLICA_READS
from dutiful.replicas.declared import CHOICES


def check_declarations(**_: Any) -> list[CheckMessage]:
    """dutiful.E301: a task whose `reads=` has an unknown value."""
    from celery import current_app as app

    app.loader.import_default_modules()
    declared = {name: getattr(task, "reads", "") for name, task in sorted(app.tasks.items())}
    return [
        Error(
            f"reads={reads!r} is not one of {', '.join(CHOICES)}.",
            hint="Use one of these, or remove it: then the task reads from the primary.",
            obj=name,
            id="dutiful.E301",
        )
        for name, reads in declared.items()
        if reads not in ("", *CHOICES)
    ]


def check_names(**_: Any) -> list[CheckMessage]:
    """dutiful.E302: a name in REPLICA_READS or REPLICA_HOLD that is no urgency, queue or task."""
    from celery import current_app as app

    app.loader.import_default_modules()
    known = {*names(), *map(str, Urgency), *app.tasks}
    return [
        Error(
            f"{variable.name} names {name!r}, which is no urgency, queue or task.",
            hint=f"Urgencies: {', '.join(Urgency)}. Queues: {', '.join(names())}.",
            id="dutiful.E302",
        )
        for variable in (REPLICA_READS, REPLICA_HOLD)
        for name in variable.get()
        if name not in known
    ]
