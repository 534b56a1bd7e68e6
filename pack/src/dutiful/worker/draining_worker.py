"""Celery's worker with a stop that ends in time and a record for the probe."""

from typing import Any

from celery.apps.worker import Worker as CeleryWorker
from celery.concurrency import get_implementation
from celery.signals import worker_shutdown

from dutiful.conf import conf
from dutiful.worker.drain.current import Drain
from dutiful.worker.drain.event_loop import Loop
from dutiful.worker.prefork import pool
from dutiful.worker.probe.recorder import Beats
from dutiful.worker.quarantine import runner


class DrainingWorker(CeleryWorker):
    """What `dutiful.worker.drain.current` needs of a worker."""

    # Celery's own, which its stubs leave out.
    consumer: Any = None
    pool_cls: Any
    _persistence: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        self.drain = Drain(self, conf().grace_seconds)
        self.beats = Beats(self)
        super().__init__(*args, **options)

    def setup_instance(self, *args: Any, **options: Any) -> None:
        self.pool_cls = pool.instead_of(get_implementation(self.pool_cls))
        super().setup_instance(*args, **options)

    def install_platform_tweaks(self, worker: Any) -> None:
        super().install_platform_tweaks(worker)
        self.drain.listen()
        self.beats.begin()

    def _process_task(self, req: Any) -> None:
        if self.drain.starts(req):
            super()._process_task(req)  # type: ignore[misc]

    def end_trial(self) -> None:
        """A suspect that is tried in a child of its own goes back, as it is."""
        runner.stop()

    def say_goodbye(self, loop: Loop, seconds: float) -> None:
        """What Celery tells Flower and receivers at its stop, in its own thread."""
        loop.call(self._say_goodbye, seconds)

    def _say_goodbye(self) -> None:
        worker_shutdown.send(sender=self)
        if heart := getattr(self.consumer, "heart", None):
            heart.stop()

    def tidy(self) -> None:
        """What Celery removes and saves in an `atexit`, which `os._exit` leaves out."""
        self.beats.end()
        if self.pidlock:
            self.pidlock.release()
        if self._persistence:
            self._persistence.save()

    def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
        """Celery's own end, by an error that it cannot go on from. No signal comes here."""
        self.drain.bound()
        super().stop(in_sighandler, exitcode)

    def terminate(self, in_sighandler: bool = False) -> None:
        self.drain.bound()
        super().terminate(in_sighandler)

    def on_stopped(self) -> None:
        self.beats.end()
        super().on_stopped()
