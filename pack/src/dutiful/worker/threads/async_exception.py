"""Raises an exception in another thread, which is how a time limit reaches a task in a thread."""

import ctypes
from typing import Final

from billiard.exceptions import SoftTimeLimitExceeded


class HardLimitReached(BaseException):
    """Ends a task past its hard limit. It is no Exception, so `except Exception` lets it pass."""


LIMITS: Final = (SoftTimeLimitExceeded, HardLimitReached)


def raise_in_thread(ident: int, exception: type[BaseException] | None) -> None:
    """Raises the exception in the thread `ident`, at its next Python instruction.

    None cancels an exception that was sent to the thread and has not been raised yet.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(ident), ctypes.py_object(exception) if exception else None
    )


def deliver_pending() -> None:
    """Raises here what another thread has sent: Python does so when it enters a function.

    After this call no exception is on its way, as long as none is sent anew.
    """
