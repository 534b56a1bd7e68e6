"""Real processes for tests and drills, with a log of their own, which always end."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from dutiful import env

T = TypeVar("T")
DEADLINE = 60.0
"""Seconds. It is long, since a machine may be slow; no drill or test measures speed with it."""


def wait_for(what: str, condition: Callable[[], T], seconds: float = DEADLINE) -> T:
    """Waits for a true value of `condition` and returns it. Raises AssertionError with `what`."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


class Running:
    """A process in a session of its own, so that its whole group can be signalled."""

    def __init__(
        self,
        argv: list[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path = env.ROOT,
    ) -> None:
        self.log_file = log
        with log.open("wb") as out:
            self.popen = subprocess.Popen(
                argv,
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_for_log(self, text: str, seconds: float = DEADLINE) -> None:
        def logged() -> bool:
            if text in self.log:
                return True
            assert self.popen.poll() is None, f"ended with {self.popen.returncode}:\n{self.log}"
            return False

        try:
            wait_for(f"{text!r} in the log", logged, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log}") from None

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill_group(self) -> None:
        """Sends SIGKILL to the whole group, like a machine that fails."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def wait(self, seconds: float = DEADLINE) -> int:
        return self.popen.wait(seconds)

    def stop(self, seconds: float = 15) -> None:
        """Sends SIGTERM, waits, then SIGKILL to the whole group, so that no process remains."""
        if self.popen.poll() is None:
            self.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "for-this-test-only-" * 4,
    "ALLOWED_HOSTS": "127.0.0.1",
    "DEBUG": "0",
}
"""The environment in which a process logs as in production."""


def celery(*arguments: str) -> list[str]:
    """The command line of `celery -A project …`, for the project of DJANGO_SETTINGS_MODULE."""
    project = os.environ["DJANGO_SETTINGS_MODULE"].removesuffix(".settings")
    return [sys.executable, "-m", "celery", "-A", project, *arguments]


def manage(*arguments: str) -> list[str]:
    """The command line of `manage.py …`, with this interpreter."""
    return [sys.executable, "manage.py", *arguments]
