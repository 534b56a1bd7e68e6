"""Old arguments against a new signature: no other try would help, so none is made.

Celery checks arguments where a task is called; what an older release sent is never checked again.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dutiful.task.retries import PermanentError


class ArgumentsDoNotFit(PermanentError):
    """The message's arguments are not what the task takes in this release."""

    reason = "arguments do not fit"


def refuse_misfit(
    name: str, run: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Raises ArgumentsDoNotFit where `run(*args, **kwargs)` cannot even begin.

    To be asked after a TypeError: one from inside the body is an error like any other.
    """
    signature = inspect.signature(run)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        # Names and numbers only: values may be personal.
        raise ArgumentsDoNotFit(
            f"{name}{signature} was sent {len(args)} positional argument(s) and the keywords"
            f" {sorted(kwargs)}: {error}. A new argument needs a default, since messages of older"
            " releases do not have it."
        ) from None
