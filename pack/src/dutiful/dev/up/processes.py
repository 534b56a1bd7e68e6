"""Keeps one process alive: starts it, reads its output, restarts it after a pause, stops it."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable

from dutiful import env
from dutiful.dev.up.output import Output
from dutiful.dev.up.pause import Pause
from dutiful.dev.up.service import Service

READ_BYTES = 65536


class StartError(Exception):
    """A process ended, or was not up in time, before the table was shown. One line says which."""


class Process:
    """The process of a service, in its own session: the terminal's Ctrl-C does not reach it."""

    def __init__(self, service: Service, output: Output, changed: Callable[[], None]) -> None:
        self.service = service
        self.output = output
        self.changed = changed
        self.popen: asyncio.subprocess.Process | None = None
        self.up = asyncio.Event()
        self._now = asyncio.Event()
        """Set to end a pause, or while the process ends because it was told to."""
        self._stopping = False
        self._wanted = asyncio.Event()
        """Clear while `make worker` takes the place of the process."""
        self._wanted.set()
        self._killer: asyncio.Task[None] | None = None
        self._readers: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        return self.popen.pid if self.popen and self.popen.returncode is None else None

    async def supervise(self) -> None:
        """Returns after `stop()`. Raises StartError if the process ends before it was ever up."""
        pause = Pause()
        while await self._wanted.wait() and not self._stopping:
            started = time.monotonic()
            popen = await self._start()
            waiter = asyncio.create_task(self._wait_until_up())
            code = await popen.wait()
            waiter.cancel()
            self.signal_group(signal.SIGKILL)  # its children must not continue alone
            if self._killer:
                self._killer.cancel()
            self.changed()
            if not self._now.is_set():
                if not self.up.is_set():
                    raise StartError(f"{self.service.name} {how(code)} before it was up")
                seconds = pause.after(time.monotonic() - started)
                self.report(f"{self.service.name} {how(code)}; starts again in {seconds:g} s")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._now.wait(), seconds)
            self._now.clear()

    def restart(self) -> None:
        """Stops the process within its grace and starts it at once; ends a pause."""
        self._now.set()
        self._terminate()

    def stop(self) -> None:
        """Stops the process within its grace; `supervise()` returns when it has ended."""
        self._stopping = True
        self._wanted.set()
        self.restart()

    @property
    def displaced(self) -> bool:
        """Whether `make_room()` has stopped it."""
        return not self._wanted.is_set()

    def make_room(self) -> None:
        """Stops the process until `come_back()`."""
        self._wanted.clear()
        self.restart()

    def come_back(self) -> None:
        self._now.clear()
        self._wanted.set()

    def signal_group(self, number: int) -> None:
        """Sends the signal to the process and all its children."""
        if self.popen:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, number)

    def report(self, text: str) -> None:
        self.output.line("up", text)

    def _terminate(self) -> None:
        # Only to the main process: a prefork child that gets SIGTERM drops its task.
        if self.popen and self.popen.returncode is None:
            self.popen.terminate()
            if self._killer is None or self._killer.done():
                self._killer = asyncio.create_task(self._kill_late())

    async def _kill_late(self) -> None:
        await asyncio.sleep(self.service.grace)
        self.report(f"{self.service.name} did not stop within {self.service.grace:g} s; killed")
        self.signal_group(signal.SIGKILL)

    async def _start(self) -> asyncio.subprocess.Process:
        # asyncio's own pipe would delay `wait()` while a grandchild holds it open.
        read, write = os.pipe()
        try:
            self.popen = await asyncio.create_subprocess_exec(
                *self.service.command,
                cwd=env.ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.service.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write,
                stderr=write,
                start_new_session=True,
            )
        finally:
            os.close(write)
        self._ready_line = asyncio.Event()
        reader = asyncio.create_task(self._read(read))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        if self._stopping:
            self._terminate()
        self.changed()
        if self.up.is_set():
            self.report(f"{self.service.name} started, pid {self.popen.pid}")
        return self.popen

    async def _read(self, descriptor: int) -> None:
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(descriptor, "rb", buffering=0)
        )
        try:
            rest = b""
            # Not readline(): it raises on a line longer than its buffer.
            while data := await stream.read(READ_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._line(line)
            if rest:
                self._line(rest)
        finally:
            transport.close()

    def _line(self, raw: bytes) -> None:
        text = raw.decode(errors="replace").rstrip("\r")
        if self.service.ready_text and self.service.ready_text in text:
            self._ready_line.set()
        self.output.line(self.service.name, text)

    async def _wait_until_up(self) -> None:
        if self.service.ready_text:
            await self._ready_line.wait()
        while self.service.ready and not await asyncio.to_thread(self.service.ready):
            await asyncio.sleep(0.1)
        self.up.set()


def how(code: int) -> str:
    """Says how a process ended, from its return code."""
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"
