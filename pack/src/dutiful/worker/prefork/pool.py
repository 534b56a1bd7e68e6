"""The prefork pool of a worker that decides itself when its children end.

A platform that stops a dyno signals every process of it. Stock children die of that SIGTERM in the
middle of their tasks; ours ignore it and leave the stop to the main process. Where the pool itself
ends a child, it therefore sends SIGKILL.
"""

import contextlib
import ctypes
import gc
import os
import signal
import sys
import time
from typing import Any, Final

from billiard.process import current_process
from celery import platforms
from celery.concurrency.prefork import TaskPool as StockPool
from celery.signals import worker_process_init, worker_process_shutdown

from dutiful.worker.drain.signal_thread import STOP_SIGNALS
from dutiful.worker.prefork import pipes, shared_memory

PR_SET_PDEATHSIG: Final = 1
"""linux/prctl.h"""
EXIT_SECONDS: Final = 0.2
"""A child closes its files a moment before its exit can be waited for."""


class AsynPool(pipes.AsynPool):
    """Ends children by SIGKILL: at a hard time limit, and when the pool shrinks."""

    def _event_process_exit(self, hub: Any, proc: Any) -> None:
        """Waits for the child. Stock looks once, often too early, and replaces it 5 s later."""
        deadline = time.monotonic() + EXIT_SECONDS
        while proc._popen.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        super()._event_process_exit(hub, proc)  # type: ignore[misc]

    def _create_worker_process(self, i: int) -> Any:
        child: Any = super()._create_worker_process(i)  # type: ignore[misc]

        def terminate() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)

        child.terminate = terminate
        return child


class TaskPool(StockPool):
    """Celery's prefork pool, whose children go on when their process group is signalled."""

    Pool = AsynPool

    def on_start(self) -> None:
        # Objects made so far stay: the collector skips them, and children share their pages.
        gc.collect()
        gc.freeze()
        shared_memory.install()
        # Celery's own, where cffi is installed, compiles a C declaration in each child: 25 ms.
        celery_platforms: Any = platforms
        celery_platforms._set_pdeathsig = _set_parent_death_signal
        super().on_start()
        pool: Any = self  # Celery sets this method on the instance
        stock = pool._pool.terminate_job

        def terminate_job(pid: int, number: int | None = None) -> None:
            """`revoke(terminate=True)`. Children ignore STOP_SIGNALS, so SIGKILL replaces these."""
            ignored = number is None or number in STOP_SIGNALS
            stock(pid, signal.SIGKILL if ignored else number)

        pool.terminate_job = terminate_job


def _set_parent_death_signal(number: int) -> None:
    """The kernel sends this signal to the calling process when its parent dies. Linux only."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def instead_of(pool: Any) -> Any:
    """Returns the given pool class, or ours in place of Celery's prefork pool."""
    return TaskPool if pool is StockPool else pool


@worker_process_init.connect
def _ignore_stop_signals(**_: Any) -> None:
    if current_process().name == "MainProcess":
        return  # the solo pool sends this signal too
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # billiard runs after this and does not change it


@worker_process_shutdown.connect
def _exit_on_sigterm(exitcode: int | None = None, **_: Any) -> None:
    """A child that has reported its end to the pool waits a second, or for the pool's SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(exitcode or 0))
