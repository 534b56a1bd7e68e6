"""The last step of a process that is not ended by Python: flush, then exit or start again."""

import os
import sys
from typing import NoReturn

from dutiful.errors.logs import lines


def flush_streams() -> None:
    """Writes out what was logged, since `os._exit` and `execv` leave out Python's own flush."""
    lines.flush()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def exec_again() -> NoReturn:
    """Starts the same command line again in this process, with the same pid.

    The interpreter's own flags, such as -m and -X, are kept.
    """
    flush_streams()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # our own argv
