"""The variables of error tracking, and a name that its parts share."""

from typing import Final

from dutiful.variables import Var


def dotted_path(value: str) -> str:
    parts = value.split(".")
    if value and (len(parts) < 2 or not all(map(str.isidentifier, parts))):
        raise ValueError("is not a dotted path such as shop.trackers.bugsnag")
    return value


dotted_path.__name__ = "dotted path"

ERROR_TRACKER: Final = Var(
    "ERROR_TRACKER",
    dotted_path,
    "",
    "A function of yours that receives each event that Sentry would"
    " (`python -m dutiful docs monitoring`).",
)
TRIES: Final = "retry"
"""Category of the breadcrumbs for earlier attempts; only these breadcrumbs are sent."""
