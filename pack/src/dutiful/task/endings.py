"""How a task ended for good: the reason, the error and the worker, as its dead letter shows
them."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery.exceptions import Ignore, Reject
from celery.exceptions import Retry as RetryRequested
from celery.utils.serialization import UnpickleableExceptionWrapper

from dutiful.task.retries import PermanentError

EXHAUSTED: Final = "retries exhausted"
FAILED: Final = "failed"
"""The reason of a task with a single attempt, or of an error that its policy does not retry."""
LONGEST_MESSAGE: Final = 2_000
LONGEST_TRACEBACK: Final = 16_000
"""The most characters that are kept of a message, and of a traceback (its start and its end)."""
_WRAPPER: Final = f"{UnpickleableExceptionWrapper.__module__}.UnpickleableExceptionWrapper"
_FRAME: Final = re.compile(r'^  File "', re.MULTILINE)


@dataclass(frozen=True)
class Ending:
    """How one message ended."""

    reason: str
    exception: str = ""
    """The full name of the exception's type, as a traceback shows it."""
    message: str = ""
    traceback: str = ""
    worker: str = ""

    def as_json(self) -> str:
        """The JSON object that a dead letter carries as its detail."""
        return json.dumps({key: value for key, value in asdict(self).items() if value})


def ending_of(exc_info: Any, error: BaseException, retries: int, most: int | None) -> Ending | None:
    """How the task ended, or None if it runs again, was revoked or ended on purpose.

    `exc_info` is billiard's. Only its traceback always survives the way through a pool's pipe.
    """
    trace = str(exc_info.traceback or "")
    kind, message = _raised(trace, error)
    reason = _reason(error, kind, retries, most)
    if reason is None:
        return None
    return Ending(reason, kind, message[:LONGEST_MESSAGE], shortened(trace))


def shortened(trace: str) -> str:
    """The traceback in about LONGEST_TRACEBACK characters: its start and its end."""
    half = LONGEST_TRACEBACK // 2
    if len(trace) <= LONGEST_TRACEBACK:
        return trace
    return f"{trace[:half]}\n  … {len(trace) - 2 * half} characters …\n{trace[-half:]}"


def _raised(trace: str, error: BaseException) -> tuple[str, str]:
    """Type and message, from the traceback's last lines.

    `error` may be a substitute: for an exception that cannot be pickled, for example.
    """
    frames = list(_FRAME.finditer(trace))
    if frames:
        lines = trace[frames[-1].start() :].splitlines()
        for place, line in enumerate(lines):
            if line and not line[0].isspace():
                kind, _, message = line.partition(": ")
                if kind == _WRAPPER:
                    break
                return kind, "\n".join([message, *lines[place + 1 :]]).strip()
    module, kind, text = type(error).__module__, type(error).__qualname__, str(error)
    if isinstance(error, UnpickleableExceptionWrapper):
        module, kind = str(error.exc_module), str(error.exc_cls_name)
        text = ", ".join(str(each) for each in error.exc_args or ())
    return kind if module == "builtins" else f"{module}.{kind}", text


def _reason(error: BaseException, kind: str, retries: int, most: int | None) -> str | None:
    if isinstance(error, Reject):
        return None if getattr(error, "requeue", False) else "rejected"
    if isinstance(error, (Ignore, RetryRequested, Terminated)):
        return None
    if isinstance(error, TimeLimitExceeded):
        return "hard time limit"
    if isinstance(error, (WorkerLostError, SystemExit, KeyboardInterrupt)):
        return "process lost"
    # By name first: an exception that cannot be pickled arrives as one of its base classes.
    permanent = _permanent(kind) or type(error)
    if issubclass(permanent, PermanentError):
        return permanent.reason
    return EXHAUSTED if most and retries >= most else FAILED


def _permanent(kind: str) -> type[PermanentError] | None:
    known: list[type[PermanentError]] = [PermanentError]
    for each in known:
        if kind == f"{each.__module__}.{each.__qualname__}":
            return each
        known += each.__subclasses__()
    return None
