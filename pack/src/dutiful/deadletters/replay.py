"""Sends a dead letter again with the same id, key, links and headers; its attempts start afresh.

With the outbox, the message and the row's new state are one transaction. Without it the message is
sent first, and the dead letter stays open if the commit fails.
"""

import functools
import json
from typing import Any, Final

from celery.app.task import Context
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from dutiful.conf.queues import NotInCatalogue, by_name
from dutiful.current import app as current_app
from dutiful.deadletters.collect import stream
from dutiful.deadletters.models import Campaign, DeadLetter
from dutiful.deadletters.reading import Read, read
from dutiful.deadletters.rows import REPLAY_OF
from dutiful.task import attempts

REPLAYABLE: Final = (DeadLetter.State.OPEN, DeadLetter.State.DISCARDED)


class ReplayError(Exception):
    """The dead letter cannot be replayed and is unchanged. The message says why and what to do."""


class NotSent(ReplayError):
    """The broker did not take the message; it may later."""


def replay(
    letter: DeadLetter,
    by: str = "",
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    countdown: float = 0,
    campaign: Campaign | None = None,
) -> None:
    """Sends it again after `countdown` seconds, with other arguments if they are given.

    A message that cannot be read returns unchanged to its Redis list. Raises ReplayError.
    """
    found = read(bytes(letter.raw))
    edited = args is not None or kwargs is not None
    note = f"replayed by {by or 'a command'}" + (" with edited arguments" if edited else "")
    with transaction.atomic():
        fresh = DeadLetter.objects.filter(pk=letter.pk, state__in=REPLAYABLE).update(
            state=DeadLetter.State.REPLAYED,
            state_at=timezone.now(),
            replays=F("replays") + 1,
            note=note,
            campaign=campaign or F("campaign"),
        )
        if not fresh:
            letter.refresh_from_db()
            raise ReplayError(f"dead letter {letter.pk} is not open: {letter.get_state_display()}")
        if found.readable or edited:
            sent = (
                found.args if args is None else args,
                found.kwargs if kwargs is None else kwargs,
            )
            _send(letter, found, *sent, countdown)
        else:
            _put_back(letter)
    if campaign is None:
        letter.refresh_from_db()


def discard(letters: Any, reason: str, by: str = "") -> int:
    """Closes the open dead letters of a queryset, with a reason. Returns their number."""
    if not reason.strip():
        raise ReplayError("say why you discard them: the reason is kept with each")
    count: int = letters.filter(state=DeadLetter.State.OPEN).update(
        state=DeadLetter.State.DISCARDED,
        state_at=timezone.now(),
        note=f"discarded by {by or 'a command'}: {reason.strip()}",
    )
    return count


def arguments(text: str, kind: type[list[Any]] | type[dict[str, Any]]) -> Any:
    """Parses edited arguments from JSON. Raises ReplayError."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ReplayError(f"this is not JSON: {error}") from None
    if not isinstance(value, kind):
        what = "a list [1, 2]" if kind is list else 'an object {"name": 1}'
        raise ReplayError(f"give {what}, not {type(value).__name__}")
    return value


def _send(letter: DeadLetter, found: Read, args: Any, kwargs: Any, countdown: float) -> None:
    app = current_app()
    if not found.task:
        raise ReplayError(f"dead letter {letter.pk} names no task: it can only be discarded")
    _know_tasks()
    context = Context({**found.headers, **found.embed})
    headers = attempts.custom(found.headers)
    for stale in (attempts.HEADER, "due_at"):
        headers.pop(stale, None)
    headers[REPLAY_OF] = letter.pk
    options = {
        **context.as_execution_options(),
        "task_id": found.task_id or None,
        "retries": 0,
        "expires": None,  # it has passed
        "countdown": countdown or None,
        "headers": headers,
        "priority": found.properties.get("priority"),
        "ignore_result": found.headers.get("ignore_result", True),
        "queue": _queue(letter.queue),
    }
    task = app.tasks.get(found.task)
    try:
        if task is not None:
            task.apply_async(args, kwargs, **options)
        else:
            app.send_task(found.task, args, kwargs, **options)
    except TypeError as error:
        raise ReplayError(f"the arguments do not fit: {error}. Edit them.") from error
    except ValueError as error:  # too large, no such queue
        raise ReplayError(str(error)) from error
    except Exception as error:
        raise NotSent(f"not sent: {type(error).__name__}: {error}") from error


@functools.cache
def _know_tasks() -> None:
    """Imports the modules of all tasks, which a web process has not done."""
    current_app().loader.import_default_modules()


def _queue(name: str) -> str | None:
    """The queue that it came from; None, for the task's own, if the catalogue no longer has it."""
    try:
        return by_name(name).name
    except NotInCatalogue:
        return None


def _put_back(letter: DeadLetter) -> None:
    if not letter.list:
        raise ReplayError(f"dead letter {letter.pk} cannot be read, and its list is not known")
    try:
        with stream() as letters:
            if letters is None:
                raise ReplayError("this broker has no lists that a raw message could go back to")
            letters.put_back(letter.list, bytes(letter.raw))
    except ReplayError:
        raise
    except Exception as error:
        raise NotSent(f"not put back: {type(error).__name__}: {error}") from error
