"""What configures error tracking, and the word that its parts share. A leaf."""

from typing import Final

from dutiful import env


def dotted_path(value: str) -> str:
    parts = value.split(".")
    if value and (len(parts) < 2 or not all(map(str.isidentifier, parts))):
        raise ValueError("is not a dotted path such as shop.trackers.bugsnag")
    return value


dotted_path.__name__ = "dotted path"

ERROR_TRACKER: Final = env.Var(
    "ERROR_TRACKER",
    dotted_path,
    "",
    "A function of yours that is told what Sentry is, with or without it"
    " (`python -m dutiful docs monitoring`).",
)
TRIES: Final = "retry"
"""Category of the breadcrumbs that are sent: the tries before."""
