"""The prefork pool of a worker that decides itself when its children end.

A platform that stops a dyno signals every process of it. Stock children die of that SIGTERM in
the middle of their tasks; ours leave it to the main process. Where the pool itself means to end
a child it therefore sends SIGKILL.
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

from dutiful.worker.drain.signal_thread import TAKEN
from dutiful.worker.prefork import pipes

PR_SET_PDEATHSIG: Final = 1
"""linux/prctl.h"""
EXIT_SECONDS: Final = 0.2
"""A child closes its files a moment before its exit can be waited for."""


class AsynPool(pipes.AsynPool):
    """Children that are ended by SIGKILL: at a hard time limit, when the pool shrinks."""

    def _event_process_exit(self, hub: Any, proc: Any) -> None:
        """Stock looks once, often too early, and replaces the child up to five seconds later."""
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
    """Celery's prefork pool with children that outlive a signal to the group."""

    Pool = AsynPool

    def on_start(self) -> None:
        # What is there by now stays: nobody looks through it again, and children share its pages.
        gc.collect()
        gc.freeze()
        # Celery's way, where cffi is installed, compiles a C declaration in each child: 25 ms.
        celery_platforms: Any = platforms
        celery_platforms._set_pdeathsig = _die_with_the_parent
        super().on_start()
        pool: Any = self  # Celery sets this one on the instance
        stock = pool._pool.terminate_job

        def terminate_job(pid: int, number: int | None = None) -> None:
            """`revoke(terminate=True)`. A signal that children ignore would end nothing."""
            ignored = number is None or number in TAKEN
            stock(pid, signal.SIGKILL if ignored else number)

        pool.terminate_job = terminate_job


def _die_with_the_parent(number: int) -> None:
    """Linux only, as Celery's."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def instead_of(pool: Any) -> Any:
    """Ours where it is Celery's prefork pool."""
    return TaskPool if pool is StockPool else pool


@worker_process_init.connect
def _ignore_signals(**_: Any) -> None:
    if current_process().name == "MainProcess":
        return  # the solo pool sends this too
    for number in TAKEN:
        signal.signal(number, signal.SIG_IGN)  # billiard, after this, leaves it so


@worker_process_shutdown.connect
def _heed_the_parent(exitcode: int | None = None, **_: Any) -> None:
    """A child that has told the pool of its end waits a second, or for the pool's SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(exitcode or 0))
