"""How a task ended for good: why, of what, and where; what its dead letter says of it."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery.exceptions import Ignore, Reject
from celery.exceptions import Retry as Again
from celery.utils.serialization import UnpickleableExceptionWrapper

from dutiful.task.retries import PermanentError

EXHAUSTED: Final = "retries exhausted"
FAILED: Final = "failed"
"""One try was all it had, or its policy says that another one would not help."""
LONGEST_MESSAGE: Final = 2_000
LONGEST_TRACEBACK: Final = 16_000
"""Letters kept: the beginning and the end of a traceback."""
_WRAPPER: Final = f"{UnpickleableExceptionWrapper.__module__}.UnpickleableExceptionWrapper"
_FRAME: Final = re.compile(r'^  File "', re.MULTILINE)


@dataclass(frozen=True)
class Ending:
    """The end of one message, in words."""

    reason: str
    exception: str = ""
    """The type's full name, as a traceback shows it."""
    message: str = ""
    traceback: str = ""
    worker: str = ""

    def as_json(self) -> str:
        """A dead letter's detail."""
        return json.dumps({key: value for key, value in asdict(self).items() if value})


def ending(exc_info: Any, error: BaseException, retries: int, most: int | None) -> Ending | None:
    """How it ended, or None where it has not: it runs again, or somebody wanted it so.

    `exc_info` is billiard's; its traceback is the one thing that comes whole through any pipe.
    """
    trace = str(exc_info.traceback or "")
    kind, message = _raised(trace, error)
    why = _reason(error, kind, retries, most)
    if why is None:
        return None
    return Ending(why, kind, message[:LONGEST_MESSAGE], shortened(trace))


def shortened(trace: str) -> str:
    """At most LONGEST_TRACEBACK letters: where it began, and where it broke."""
    half = LONGEST_TRACEBACK // 2
    if len(trace) <= LONGEST_TRACEBACK:
        return trace
    return f"{trace[:half]}\n  … {len(trace) - 2 * half} letters …\n{trace[-half:]}"


def _raised(trace: str, error: BaseException) -> tuple[str, str]:
    """Type and message, from the traceback's last lines: `error` may stand for another one.

    In a trial's parent, say, or where the exception cannot be pickled.
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
    module, kind, said = type(error).__module__, type(error).__qualname__, str(error)
    if isinstance(error, UnpickleableExceptionWrapper):
        module, kind = str(error.exc_module), str(error.exc_cls_name)
        said = ", ".join(str(each) for each in error.exc_args or ())
    return kind if module == "builtins" else f"{module}.{kind}", said


def _reason(error: BaseException, kind: str, retries: int, most: int | None) -> str | None:
    if isinstance(error, Reject):
        return None if getattr(error, "requeue", False) else "rejected"
    if isinstance(error, (Ignore, Again, Terminated)):
        return None
    if isinstance(error, TimeLimitExceeded):
        return "hard time limit"
    if isinstance(error, (WorkerLostError, SystemExit, KeyboardInterrupt)):
        return "process lost"
    # By name first: what cannot be pickled comes as its nearest base that can.
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
