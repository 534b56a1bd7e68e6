"""The child of an isolated run, from its parent's side: start it, give it jobs, read it, end it."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import Any, Final

from billiard.common import human_status

from dutiful.worker.quarantine.pipe_format import NO_MORE_JOBS

READ_BYTES: Final = 65536
MOST_RUNS: Final = 100
"""After so many tasks a child is replaced, as a pool's is."""
MOST_GROWTH_BYTES: Final = 64 * 1024 * 1024
"""And once its memory has grown by more than this: less than a pool's child may grow."""


class ChildProcess:
    """One `python -m dutiful.worker.quarantine.child`, in this process's folder and environment.

    Start it in the thread that waits for it: the child dies with that thread (Linux).
    Raises OSError where it cannot be started.
    """

    def __init__(self) -> None:
        self._reports, written_by_child = os.pipe()
        try:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "dutiful.worker.quarantine.child", str(written_by_child)],
                stdin=subprocess.PIPE,
                pass_fds=(written_by_child,),
                bufsize=0,
                start_new_session=True,  # a task that kills its process group spares the worker
            )
        except BaseException:
            os.close(self._reports)
            raise
        finally:
            os.close(written_by_child)
        assert self.popen.stdin is not None
        self._jobs = self.popen.stdin.fileno()
        os.set_blocking(self._jobs, False)
        self.runs = 0
        """How many jobs it was given."""
        self._unread = b""
        self._memory: list[int] = []
        """Its memory in bytes, as it reported it before and after each run."""

    def give(self, job: bytes, seconds: float) -> None:
        """Writes one more job, as far as the child reads it within that time.

        A child that is dead or stands still raises nothing here; reading from it shows that.
        """
        self.runs += 1
        left, deadline = memoryview(job), time.monotonic() + seconds
        with contextlib.suppress(BrokenPipeError):
            while left and (wait := deadline - time.monotonic()) > 0:
                if _ready(self._jobs, select.POLLOUT, wait):
                    left = left[os.write(self._jobs, left) :]

    @property
    def reusable(self) -> bool:
        """Whether it may run another task."""
        grown = self._memory[-1] - self._memory[0] if self._memory else 0
        return not self.ended and self.runs < MOST_RUNS and grown <= MOST_GROWTH_BYTES

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def ended(self) -> bool:
        return self.popen.poll() is not None

    @property
    def status(self) -> str:
        """How it ended, as text: `signal 9 (SIGKILL)`, `exitcode 3`."""
        return str(human_status(self.popen.returncode))

    def read(self, seconds: float) -> list[dict[str, Any]]:
        """Returns its reports as soon as there are any; an empty list after that time."""
        if not _ready(self._reports, select.POLLIN, seconds):
            return []
        data = os.read(self._reports, READ_BYTES)
        if not data:  # it ends; or a pool's child, forked meanwhile, keeps the pipe open
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(max(0.01, min(seconds, 0.2)))
            return []
        return self._parse(data)

    def read_rest(self) -> list[dict[str, Any]]:
        """Returns what it reported before it ended. Call it once it has ended."""
        found: list[dict[str, Any]] = []
        while _ready(self._reports, select.POLLIN, 0):
            data = os.read(self._reports, READ_BYTES)
            if not data:
                break
            found += self._parse(data)
        return found

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """Sends SIGKILL; returns at once."""
        self.popen.kill()

    def close(self, seconds: float) -> None:
        """Lets it end by itself within that time, else kills it; then waits for it."""
        if seconds:
            self.give(NO_MORE_JOBS, 0.01)
        else:
            self.kill()
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        os.close(self._reports)
        if self.popen.stdin is not None:
            self.popen.stdin.close()

    def _parse(self, data: bytes) -> list[dict[str, Any]]:
        *lines, self._unread = (self._unread + data).split(b"\n")
        reports: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self._memory += [report["memory"] for report in reports]
        return reports


def _ready(fd: int, event: int, seconds: float) -> bool:
    """Whether the pipe is ready within that time. It also is where the other end was closed."""
    poll = select.poll()  # select() knows no descriptor above 1023
    poll.register(fd, event)
    return bool(poll.poll(max(0.0, seconds) * 1000))
