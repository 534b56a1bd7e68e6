"""A pipe from the children of a prefork pool to their main process, with a line for each run.

POSIX writes a line of up to PIPE_BUF bytes whole or not at all, however many children write, and a
child that is killed loses nothing. The main process reads twice a second; the pipe holds thousands
of lines. When it is full, a run is not counted: the child never waits.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from typing import Final

from dutiful.monitoring.fleet.tally import Run

BYTES: Final = 1024 * 1024
"""The largest size that Linux allows every user."""
CHUNK: Final = 64 * 1024
MOST_NAME: Final = 300
"""Bytes of a task's name, so that a line stays below the 512 that every system writes whole."""
_SET_SIZE: Final = getattr(fcntl, "F_SETPIPE_SZ", None)


class Pipe:
    """Made in the main process before it forks. `write` in children, `read` in the main process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._out, self._in = os.pipe()
        for end in (self._out, self._in):
            os.set_blocking(end, False)
        if _SET_SIZE is not None:
            with contextlib.suppress(
                OSError
            ):  # the user's limit of pipe memory is reached: it stays small
                fcntl.fcntl(self._in, _SET_SIZE, BYTES)
        self._rest = b""

    def write(self, run: Run) -> None:
        """Called in a child, from the thread that ran the task."""
        task, queue, ended, *seconds, queries, database = run
        words = [task[:MOST_NAME], queue, ended, *map(_word, seconds), str(queries or 0)]
        line = "|".join([*words, _word(database)]) + "\n"
        with contextlib.suppress(BlockingIOError):
            os.write(self._in, line.encode())

    def read(self) -> Iterator[Run]:
        """The runs written since the last call. Called in the main process."""
        while True:
            try:
                chunk = os.read(self._out, CHUNK)
            except BlockingIOError:
                return
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                task, queue, ended, *rest = line.decode().split("|")
                wait, took, cpu, database = (_number(rest[place]) for place in (0, 1, 2, 4))
                yield task, queue, ended, wait, took, cpu, int(rest[3]), database


def _word(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.6f}"


def _number(word: str) -> float | None:
    return float(word) if word else None
