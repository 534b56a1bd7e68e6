"""Checks a move between queues, and moves the part of the backlog that is in the outbox."""

import json
from collections.abc import Iterator
from typing import Any, Final

from celery import Celery
from django.apps import apps
from kombu.utils.json import JSONEncoder

from dutiful.catalogue.classes import Bound
from dutiful.conf.queues import by_name, known
from dutiful.publishing.router import safe

BATCH: Final = 500
"""Rows that one transaction moves."""


class CannotReroute(ValueError):
    """The move is refused; the message says why and what to do."""


def check(app: Celery, old: str, new: str, task: str = "") -> None:
    """Raises CannotReroute, or NotInCatalogue for the new queue. The old one may be unknown."""
    target = by_name(new)
    if old == new:
        raise CannotReroute(f"{old} and {new} are the same queue.")
    if target.bound == Bound.COMPUTE or (known(old) and by_name(old).bound != Bound.COMPUTE):
        return  # every task of the old queue may run where the new one is served
    names = [task] if task else sorted(app.tasks)
    unsafe = [name for name in names if name in app.tasks and not safe(app.tasks[name])]
    if unsafe:
        hint = "Choose a queue that is bound by compute" + (
            "." if task else ", or name one --task."
        )
        raise CannotReroute(
            f"threads serve {new}, and {', '.join(unsafe)} may not run there (thread_safe=False)."
            f" {hint}"
        )


def outbox(old: str, new: str, task: str = "") -> int:
    """Moves the rows of the outbox. Returns their number. Raises django.db.Error.

    A row that is being sent at this moment goes to the old queue, and is not moved.
    """
    if not apps.is_installed("dutiful.outbox"):
        return 0
    from django.db import transaction

    from dutiful.outbox import rows
    from dutiful.outbox.models import OutboxMessage

    moved = 0
    for batch in _batches(old, task):
        with transaction.atomic(using=rows.alias()):
            for key, text in batch:
                found = OutboxMessage.objects.using(rows.alias()).filter(pk=key, queue=old)
                moved += found.update(exchange="", queue=new, text=readdressed(text, new))
    return moved


def _batches(old: str, task: str) -> Iterator[list[tuple[int, str]]]:
    from dutiful.outbox import rows
    from dutiful.outbox.models import OutboxMessage

    last = 0
    while True:
        waiting = OutboxMessage.objects.using(rows.alias()).filter(queue=old, pk__gt=last)
        if task:
            waiting = waiting.filter(task=task)
        batch = list(waiting.order_by("pk").values_list("pk", "text")[:BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1][0]


def readdressed(text: str, new: str) -> str:
    """A prepared message, addressed to another queue; unchanged if it cannot be parsed."""
    try:
        message: Any = json.loads(text)
        message["properties"]["delivery_info"].update(exchange="", routing_key=new)
    except (ValueError, TypeError, LookupError, AttributeError):
        return text
    return JSONEncoder().encode(message)
