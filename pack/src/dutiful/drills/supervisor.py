"""A supervisor of a system's workers, which starts a worker again after it ended."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from dutiful.testing.processes import DEADLINE, Running, wait_for

PAUSE: Final = 0.5
"""Seconds from a worker's end to its next start."""
PLATFORM_GRACE: Final = 30.0
"""Seconds from SIGTERM to SIGKILL, as on Heroku."""

Start = Callable[[Sequence[str], str], Running]
"""Starts a worker process with these flags and this name."""


class Kill(NamedTuple):
    """A kill -9 of a worker."""

    worker: str
    """The name of the process that was killed."""
    at: float
    """Seconds since the epoch."""


class Worker:
    """A supervised worker. Each of its processes has a name of its own: number.start."""

    def __init__(self, number: int, flags: Sequence[str], start: Start) -> None:
        self.number = number
        self.flags = flags
        self.start_process = start
        self.starts = 0
        self.restart = True
        """Whether the supervisor starts it again after it ended."""
        self.lock = threading.RLock()
        self.start()

    def start(self) -> None:
        """Starts the process; kills the children of the one before that outlived it."""
        with self.lock:
            if self.starts:
                self.signal(signal.SIGKILL)
            self.starts += 1
            self.name = f"{self.number}.{self.starts}"
            self.was_ready = False
            self.process = self.start_process(self.flags, self.name)

    @property
    def ended(self) -> bool:
        """Whether the main process has ended."""
        return self.process.popen.poll() is not None

    @property
    def ready(self) -> bool:
        """Whether the worker has logged that it is ready, and runs."""
        self.was_ready = self.was_ready or " ready." in self.process.log
        return self.was_ready and not self.ended

    def signal(self, number: int) -> None:
        """Sends the signal to every process of the worker, as Heroku does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Supervisor:
    """The workers of a system, and a thread that restarts them. End it with `stop()`."""

    def __init__(self, start: Start) -> None:
        self.start_process = start
        self.workers: list[Worker] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._restart_ended, daemon=True)
        self.thread.start()

    def add(self, flags: Sequence[str]) -> Worker:
        """Starts one more worker and returns it, possibly before it is ready."""
        worker = Worker(len(self.workers), flags, self.start_process)
        self.workers.append(worker)
        return worker

    def wait_ready(self, *workers: Worker) -> None:
        """Waits until these workers (by default all that are restarted) are ready.

        Raises AssertionError with the logs of those that are not.
        """
        waiting = workers or [worker for worker in self.workers if worker.restart]
        try:
            wait_for("workers ready", lambda: all(one.ready for one in waiting), 2 * DEADLINE)
        except AssertionError as error:
            logs = "\n".join(one.process.log[-3000:] for one in waiting if not one.ready)
            raise AssertionError(f"{error}\n{logs}") from None

    def kill(self, worker: Worker, whole: bool = True) -> Kill:
        """Kills the worker with SIGKILL: all its processes, or only the main one."""
        with worker.lock:
            killed = Kill(worker.name, time.time())
            if whole:
                worker.signal(signal.SIGKILL)
            else:
                worker.process.signal(signal.SIGKILL)
            worker.process.wait()
            return killed

    def any_ready(self, chance: random.Random) -> Worker:
        """Returns a worker that is ready, chosen at random."""
        return chance.choice(
            wait_for("a worker that is ready", lambda: [one for one in self.workers if one.ready])
        )

    def terminate(self, *workers: Worker) -> list[int]:
        """Sends SIGTERM to every process, SIGKILL after the platform's grace; returns exit codes.

        Each worker is started again at once, unless its `restart` is False.
        """
        ending = [worker.process for worker in workers]
        for worker in workers:
            worker.signal(signal.SIGTERM)
        deadline = time.monotonic() + PLATFORM_GRACE
        while time.monotonic() < deadline and any(p.popen.poll() is None for p in ending):
            time.sleep(0.05)
        for process in ending:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return [process.wait() for process in ending]

    def _restart_ended(self) -> None:
        while not self.stopping.wait(PAUSE):
            for worker in list(self.workers):
                if worker.restart and worker.ended:
                    worker.start()

    def stop(self) -> None:
        """Stops restarting, then kills every worker."""
        self.stopping.set()
        self.thread.join()
        for worker in self.workers:
            with suppress(ProcessLookupError):
                os.killpg(worker.process.pid, signal.SIGKILL)
            worker.process.wait()
