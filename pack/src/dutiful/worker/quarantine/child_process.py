"""The child of a trial, from its parent's side: started, read, signalled, ended."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import Any, Final

from billiard.common import human_status

from dutiful.worker.quarantine.pipe_format import LAST

READ_BYTES: Final = 65536
RUNS: Final = 100
"""After so many tasks a child is replaced, as a pool's is."""
GROWTH_BYTES: Final = 64 * 1024 * 1024
"""And once it takes so much more than when it began: less than a pool's child may take."""


class TrialProcess:
    """One `python -m dutiful.worker.quarantine.child`, in this process's folder and environment.

    Start it from the thread that waits for it: the child dies with that thread (Linux).
    Raises OSError where it cannot be started.
    """

    def __init__(self) -> None:
        self._fd, told = os.pipe()
        try:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "dutiful.worker.quarantine.child", str(told)],
                stdin=subprocess.PIPE,
                pass_fds=(told,),
                bufsize=0,
                start_new_session=True,  # a task that kills its process group kills this child
            )
        except BaseException:
            os.close(self._fd)
            raise
        finally:
            os.close(told)
        assert self.popen.stdin is not None
        self._jobs = self.popen.stdin.fileno()
        os.set_blocking(self._jobs, False)
        self.runs = 0
        """Jobs that it was given."""
        self._rest = b""
        self._memory: list[int] = []

    def give(self, job: bytes, seconds: float) -> None:
        """One more task, as far as it is read within that time.

        It may be dead already, or stand still: that is seen where it is waited for.
        """
        self.runs += 1
        left, deadline = memoryview(job), time.monotonic() + seconds
        with contextlib.suppress(BrokenPipeError):
            while left and (wait := deadline - time.monotonic()) > 0:
                if _ready(self._jobs, select.POLLOUT, wait):
                    left = left[os.write(self._jobs, left) :]

    @property
    def fit(self) -> bool:
        """Whether it may run another task."""
        grown = self._memory[-1] - self._memory[0] if self._memory else 0
        return not self.ended and self.runs < RUNS and grown <= GROWTH_BYTES

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def ended(self) -> bool:
        return self.popen.poll() is not None

    @property
    def status(self) -> str:
        """How it ended, in words: `signal 9 (SIGKILL)`, `exitcode 3`."""
        return str(human_status(self.popen.returncode))

    def read(self, seconds: float) -> list[dict[str, Any]]:
        """What it says within that time, perhaps nothing. Returns as soon as there is something."""
        if not _ready(self._fd, select.POLLIN, seconds):
            return []
        data = os.read(self._fd, READ_BYTES)
        if not data:  # it ends, or a pool's child was forked meanwhile and keeps the pipe open
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(max(0.01, min(seconds, 0.2)))
            return []
        return self._lines(data)

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL. Returns at once."""
        self.popen.kill()

    def close(self, seconds: float) -> None:
        """Lets it end by itself, within that time, then kills it."""
        if seconds:
            self.give(LAST, 0.01)
        else:
            self.kill()
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        os.close(self._fd)
        if self.popen.stdin is not None:
            self.popen.stdin.close()

    def rest(self) -> list[dict[str, Any]]:
        """What it said before it ended. Call it once it has."""
        found: list[dict[str, Any]] = []
        while _ready(self._fd, select.POLLIN, 0):
            data = os.read(self._fd, READ_BYTES)
            if not data:
                break
            found += self._lines(data)
        return found

    def _lines(self, data: bytes) -> list[dict[str, Any]]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self._memory += [said["memory"] for said in found]
        return found


def _ready(fd: int, event: int, seconds: float) -> bool:
    """Within that time. An end that was closed counts: reading or writing says so."""
    poll = select.poll()  # select() knows no descriptor above 1023
    poll.register(fd, event)
    return bool(poll.poll(max(0.0, seconds) * 1000))
