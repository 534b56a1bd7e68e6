"""Celery's thread pool, with time limits, a stop that ends, and less work for each task.

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
from dutiful.worker.threads.limits import MOST_STUCK, LimitWatcher
from dutiful.worker.threads.work_queue import WorkQueue

logger = logging.getLogger(__name__)


class TaskPool(BasePool):
    """Runs up to `limit` tasks at once. Threads start when needed; they are daemons, so that none
    delays the process's exit."""

    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.after_task: Callable[[str], None] | None = None
        """Called in the task's thread with the task's name, once the task has ended."""
        self._queue: WorkQueue[Job | None] = WorkQueue()
        self._jobs: dict[Job, None] = {}  # waiting and running jobs, without stuck ones
        self._stuck: dict[Job, None] = {}
        self._threads = 0
        self._pid = os.getpid()
        self._watcher = LimitWatcher(self.running, self._give_up)

    # What Celery calls.

    def on_start(self) -> None:
        self._pid = os.getpid()
        for task in self.app.tasks.values() if self.app else ():
            inner = (
                "_orig_run" if hasattr(task, "_orig_run") else "run"
            )  # the function inside autoretry_for
            setattr(task, inner, guard(getattr(task, inner)))
        handover.undisturbed = undisturbed
        self._watcher.start()
        lines.batch()

    def on_apply(  # type: ignore[override]  # these are Celery's names of the arguments
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
        self._queue.put(job)
        if len(self._jobs) > self._threads and self._threads < self.limit:
            self._start_thread()
        return job

    def on_stop(self) -> None:
        """Waits for running tasks, for the grace at most; the broker keeps those not begun."""
        self.drain(conf().grace_seconds)

    def on_terminate(self) -> None:
        self.drain(0)

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Does nothing: all slots have the worker's pid. Celery calls Job.terminate next."""

    @property
    def info(self) -> dict[str, Any]:
        """What `inspect stats` and Flower show: counts of threads and of jobs."""
        return {
            **super().info,
            "threads": self._threads,
            "running": len(self.running()),
            "stuck": len(self._stuck),
        }

    # For stopping.

    def running(self) -> list[Job]:
        """Returns the jobs that have begun and not ended, without stuck ones."""
        # dict.copy() is atomic; other threads change the original while we iterate.
        return [job for job in self._jobs.copy() if job.began is not None]

    def unstarted(self) -> list[Job]:
        """Returns the jobs that wait for a slot."""
        return [job for job in self._jobs.copy() if job.began is None]

    def stuck(self) -> list[Job]:
        """Returns the jobs past their hard limit whose threads have not returned."""
        return list(self._stuck.copy())

    def cancel_unstarted(self) -> list[str]:
        """Cancels the jobs that have not begun and returns their task ids.

        The caller puts their messages back.
        """
        cancelled = [job for job in self.unstarted() if job.cancel()]
        for job in cancelled:
            self._jobs.pop(job, None)
        return [job.task_id for job in cancelled if job.task_id]

    def drain(self, seconds: float) -> bool:
        """Cancels jobs not begun, then waits `seconds` at most for the rest. True if all ended."""
        self.cancel_unstarted()
        deadline = time.monotonic() + seconds
        while self._jobs and time.monotonic() < deadline:
            time.sleep(0.02)
        self._watcher.end()
        for _ in range(self._threads):
            self._queue.put(None)
        return not self._jobs

    # The slots' threads.

    def _start_thread(self, first: Callable[[], None] | None = None) -> None:
        """Starts the thread of a new slot; with `first`, another one for a slot that lost its own.

        The thread calls `first` before it takes jobs. Raises RuntimeError where no thread starts.
        """
        threading.Thread(target=self._serve, args=(first,), name="slot", daemon=True).start()
        if first is None:
            self._threads += 1

    def _serve(self, first: Callable[[], None] | None) -> None:
        try:
            if first is not None:
                first()
            self._serve_jobs()
        except BaseException:
            # For example MemoryError between two tasks. The message of a task that was not settled
            # stays claimed until the worker ends.
            logger.exception("a slot's thread ended by an error; another thread takes its place")
            self._start_thread(first=_nothing)

    def _serve_jobs(self) -> None:
        lock = self._queue.sleeping_lock()
        while (job := self._queue.get(lock)) is not None:
            try:
                ran = job.run(self._pid)
            finally:
                if not job.fenced:
                    self._jobs.pop(job, None)
            if job.fenced:
                self._stuck.pop(job, None)
                logger.warning(f"{job.name}[{job.task_id}] came back late; its result is dropped")
                return  # another thread serves the slot
            if ran and self.after_task is not None:
                self.after_task(job.name)
            del job  # or its message stays in memory until the next job

    def _give_up(self, job: Job) -> None:
        """Runs in the watcher's thread. The slot's new thread reports the timeout first."""
        self._stuck[job] = None  # before give_up: the thread may return at once and remove it
        if not job.give_up():
            del self._stuck[job]
            return
        self._jobs.pop(job, None)
        try:
            self._start_thread(first=job.report_hard_limit)
        except RuntimeError:  # no thread could be started: the slot is lost, its task is not
            logger.exception(
                f"the slot that {job.name} holds is lost: no thread could be started in its place"
            )
            job.report_hard_limit()
        if len(self._stuck) > MOST_STUCK:
            names = ", ".join(sorted({stuck.name for stuck in self.stuck()}))
            replace.begin(
                f"{len(self._stuck)} slots are held by tasks past their hard time limit ({names}):"
                " they wait in a call without a timeout of its own"
            )


def _nothing() -> None:
    pass


def instead_of(pool: Any) -> Any:
    """Returns the given pool (a name or a class), or ours in place of the stock thread pool."""
    return TaskPool if pool == "threads" or pool is StockPool else pool
