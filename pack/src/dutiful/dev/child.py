"""A server as a child process: the embedded broker, or a drill's database."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

STOP_SECONDS: Final = 10


class ServerMissing(Exception):
    """The server's program is not installed or does not start. The message says what to do."""


class Server(ABC):
    """One process on the loopback; `folder` has its data and its log (`server.log`)."""

    name: ClassVar[str]
    start_seconds: ClassVar[float] = 10
    missing: ClassVar[type[ServerMissing]] = ServerMissing
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    kill_signal: ClassVar[signal.Signals] = signal.SIGKILL

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def open(self) -> subprocess.Popen[bytes]:
        """Starts the process."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes connections and has loaded its data."""

    def start(self) -> Self:
        """Returns once the server answers. Raises `missing` when it does not."""
        self.process = self.open()
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.answers():
                return self
            time.sleep(0.02)
        self.stop()
        log = self.folder / "server.log"
        raise self.missing(f"{self.name} did not start on port {self.port}; see {log}.")

    def stop(self) -> None:
        """Stops the process with its stop signal, and kills it after ten seconds."""
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self) -> None:
        """Kills the process, for tests and drills; `start()` reuses its port and data."""
        assert self.process is not None
        self.process.send_signal(self.kill_signal)
        self.process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
