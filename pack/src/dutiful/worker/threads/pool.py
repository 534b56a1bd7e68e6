"""The thread pool: Celery's, with time limits, a stop that ends, and less work for each task.

Stock Celery ignores limits on threads (celery/celery#9203), waits at its stop for as long as tasks
run, and loses the message of a task that calls `sys.exit()`.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from celery.concurrency.base import BasePool
from celery.concurrency.thread import TaskPool as StockPool

from dutiful.conf import conf
from dutiful.database.postgres import handover
from dutiful.errors.logs import lines
from dutiful.worker import replace
from dutiful.worker.threads.current import guard, undisturbed
from dutiful.worker.threads.job import Job
from dutiful.worker.threads.limits import MOST_STUCK, Watcher
from dutiful.worker.threads.line import Line

logger = logging.getLogger(__name__)


class TaskPool(BasePool):
    """`limit` slots. Threads start as they are needed; as daemons, they cannot hold up an exit."""

    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.after_task: Callable[[str], None] | None = None
        """Called in the task's thread with its name, once it has ended."""
        self._line: Line[Job | None] = Line()
        self._jobs: dict[Job, None] = {}  # what waits or runs; a stuck one no longer counts
        self._stuck: dict[Job, None] = {}
        self._threads = 0
        self._pid = os.getpid()
        self._watcher = Watcher(self.running, self._give_up)

    # What Celery asks for.

    def on_start(self) -> None:
        self._pid = os.getpid()
        for task in self.app.tasks.values() if self.app else ():
            inner = "_orig_run" if hasattr(task, "_orig_run") else "run"  # inside autoretry_for
            setattr(task, inner, guard(getattr(task, inner)))
        handover.undisturbed = undisturbed
        self._watcher.start()
        lines.batch()

    def on_apply(  # type: ignore[override]  # Celery's own names for what it passes
        self,
        target: Any,
        args: Any = None,
        kwargs: Any = None,
        callback: Any = None,
        accept_callback: Any = None,
        error_callback: Any = None,
        timeout_callback: Any = None,
        soft_timeout: float | None = None,
        timeout: float | None = None,
        correlation_id: str | None = None,
        **_: Any,
    ) -> Job:
        job = Job(
            target,
            args or (),
            kwargs or {},
            callback,
            accept_callback,
            error_callback,
            timeout_callback,
            soft_timeout or self.options.get("soft_timeout"),
            timeout or self.options.get("timeout"),
            correlation_id,
        )
        self._jobs[job] = None
        self._line.put(job)
        if len(self._jobs) > self._threads and self._threads < self.limit:
            self._start_thread()
        return job

    def on_stop(self) -> None:
        """Waits for what runs, for the grace at most; what waits is left to the broker."""
        self.drain(conf().grace_seconds)

    def on_terminate(self) -> None:
        self.drain(0)

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """All slots have the worker's pid. Celery tells the job itself next: Job.terminate."""

    @property
    def info(self) -> dict[str, Any]:
        """What `inspect stats` and Flower show."""
        return {
            **super().info,
            "threads": self._threads,
            "running": len(self.running()),
            "stuck": len(self._stuck),
        }

    # What stopping needs.

    def running(self) -> list[Job]:
        """The jobs that have begun and not ended, without stuck ones."""
        # A copy first: it is one step of the interpreter, and other threads change the original.
        return [job for job in self._jobs.copy() if job.began is not None]

    def unstarted(self) -> list[Job]:
        """The jobs that wait for a thread."""
        return [job for job in self._jobs.copy() if job.began is None]

    def stuck(self) -> list[Job]:
        """The jobs past their hard limit whose threads have not come back."""
        return list(self._stuck.copy())

    def cancel_unstarted(self) -> list[str]:
        """Task ids of those that now never start; their messages are the caller's to put back."""
        cancelled = [job for job in self.unstarted() if job.cancel()]
        for job in cancelled:
            self._jobs.pop(job, None)
        return [job.task_id for job in cancelled if job.task_id]

    def drain(self, seconds: float) -> bool:
        """Cancels what waits, then waits for what runs, no longer than told. True if all ended."""
        self.cancel_unstarted()
        deadline = time.monotonic() + seconds
        while self._jobs and time.monotonic() < deadline:
            time.sleep(0.02)
        self._watcher.end()
        for _ in range(self._threads):
            self._line.put(None)
        return not self._jobs

    # The slots.

    def _start_thread(self, first: Callable[[], None] | None = None) -> None:
        """A new slot's; or, with something to do first, that of a slot whose thread is lost."""
        threading.Thread(target=self._serve, args=(first,), name="slot", daemon=True).start()
        if first is None:
            self._threads += 1

    def _serve(self, first: Callable[[], None] | None) -> None:
        try:
            if first is not None:
                first()
            self._serve_jobs()
        except BaseException:
            # Out of memory between two tasks, say. A task that was not settled stays claimed until
            # the worker ends.
            logger.exception("a slot's thread broke; another one takes its place")
            self._start_thread(first=_nothing)

    def _serve_jobs(self) -> None:
        bed = self._line.bed()
        while (job := self._line.get(bed)) is not None:
            try:
                ran = job.run(self._pid)
            finally:
                if not job.fenced:
                    self._jobs.pop(job, None)
            if job.fenced:
                self._stuck.pop(job, None)
                logger.warning(f"{job.name}[{job.task_id}] came back late; its result is dropped")
                return  # another thread has the slot
            if ran and self.after_task is not None:
                self.after_task(job.name)
            del job  # else its message stays in memory until the next one

    def _give_up(self, job: Job) -> None:
        """In the watcher's thread: the slot's new thread first tells of the timeout."""
        self._stuck[job] = None  # first: the thread may come back at once, and takes it out
        if not job.give_up():
            del self._stuck[job]
            return
        self._jobs.pop(job, None)
        try:
            self._start_thread(first=job.tell_hard)
        except RuntimeError:  # no more threads are to be had: the slot is lost, its task is not
            logger.exception(f"no thread in place of the one that {job.name} holds")
            job.tell_hard()
        if len(self._stuck) > MOST_STUCK:
            names = ", ".join(sorted({stuck.name for stuck in self.stuck()}))
            replace.begin(
                f"{len(self._stuck)} slots are held by tasks past their hard time limit ({names}):"
                " they wait in a call without a timeout of its own"
            )


def _nothing() -> None:
    pass


def instead_of(pool: Any) -> Any:
    """Celery's pool of that name or class; ours where it is the stock thread pool."""
    return TaskPool if pool == "threads" or pool is StockPool else pool
