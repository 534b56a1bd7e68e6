"""Recognises messages whose arguments do not fit the task's signature, and fails them at once.

Celery checks arguments only in the caller, so a message of an older release may not fit.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dutiful.task.retries import PermanentError


class ArgumentsDoNotFit(PermanentError):
    """The arguments of the message do not fit the signature of the task in this release."""

    reason = "arguments do not fit"


def refuse_misfit(
    name: str, run: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Raises ArgumentsDoNotFit if `run(*args, **kwargs)` cannot be called.

    Call it after a TypeError, to tell a misfit from an error inside the body.
    """
    signature = inspect.signature(run)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        # Names and numbers only: values may be personal data.
        raise ArgumentsDoNotFit(
            f"{name}{signature} was sent {len(args)} positional argument(s) and the keywords"
            f" {sorted(kwargs)}: {error}. A new argument needs a default, since messages of older"
            " releases do not have it."
        ) from None
