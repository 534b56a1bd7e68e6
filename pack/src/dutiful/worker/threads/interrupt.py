"""What is raised in one thread by another, and how it gets there."""

import ctypes
from typing import Final

from billiard.exceptions import SoftTimeLimitExceeded


class GivenUp(BaseException):
    """Raised in a thread whose task is past its hard limit: no `except Exception` keeps it."""


LIMITS: Final = (SoftTimeLimitExceeded, GivenUp)


def raise_in(ident: int, exception: type[BaseException] | None) -> None:
    """Raises in that thread at its next Python instruction; None takes back what waits."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(ident), ctypes.py_object(exception) if exception else None
    )


def arrive() -> None:
    """A call is where Python raises what was sent before: after it, nothing is on its way."""
