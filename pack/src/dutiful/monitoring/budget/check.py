"""The deploy's check: `manage.py check --deploy --database default`. It needs the server."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.db import Error as DatabaseError

from dutiful.catalogue.profiles import ProfileError
from dutiful.monitoring.budget import plan, server
from dutiful.monitoring.snapshot import take

HINT = (
    "python manage.py connections lists them by process, and what would fit:"
    " `python -m dutiful docs database`"
)


def check_connections(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """dutiful.E402: the formation may open more connections than the server allows.

    dutiful.W401: it may do so during a release, which may run it twice. dutiful.W402: the server or
    the Procfile cannot be read. Without `--database` nothing is checked.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            budget = plan.budget({}, server.measure(alias), take(60).workers)
        except (DatabaseError, ProfileError) as error:
            found.append(
                _message(checks.Warning, "W402", f"the connections cannot be counted: {error}")
            )
            continue
        limit = budget.tightest
        if limit is None or not budget.lacks_in_release:
            continue
        there = f"there are {limit.room} ({limit.name})"
        if budget.lacks:
            text = f"what runs may open {budget.most} connections to {alias}, and {there}."
            found.append(_message(checks.Error, "E402", text))
        else:
            text = f"a release may open {budget.in_release} connections to {alias}, and {there}."
            found.append(_message(checks.Warning, "W401", text))
    return found


def _message(kind: Any, number: str, what: str) -> CheckMessage:
    message: CheckMessage = kind(" ".join(what.split()), hint=HINT, id=f"dutiful.{number}")
    return message
